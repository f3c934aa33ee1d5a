"""Which way of a metric is good: a regression list of names, traps first."""

from __future__ import annotations

import pytest

from rolldeck.compare import direction

HIGHER = """
    accuracy val_accuracy test/acc balanced_accuracy top5_accuracy topk_accuracy f1 f1_weighted
    F1Score precision recall recall@5 sensitivity specificity roc_auc AUROC eval.auc eval/auc
    average_precision pr_auc mAP mAP@50 mAP@50:95 map50 mean_iou iou dice jaccard mcc
    cohen_kappa r2 r2_score bleu sacrebleu rouge1 rougeL chrf ndcg@10 mrr hits@10 pass@1 pass@k
    exact_match explained_variance neg_mean_squared_error neg_log_loss neg_brier_score
    silhouette_score calinski_harabasz_score adjusted_rand_score nmi v_measure_score psnr ssim
    throughput tokens_per_second steps_per_second fps mean_reward episode_return win_rate
    success_rate true_positive_rate tpr spearmanr pearsonr spearman_corr log_likelihood
""".split()  # noqa: SIM905

LOWER = """
    loss val_loss train/loss train_loss_epoch total_loss log_loss logLoss hinge_loss
    hamming_loss error error_rate top5_error top1_error mae mse rmse RMSE mean_absolute_error
    mean_squared_error mape smape max_error brier_score brier davies_bouldin_score
    davies_bouldin perplexity ppl eval/perplexity wer cer word_error_rate nll
    negative_log_likelihood neg_log_likelihood ece calibration_error expected_calibration_error
    fid kid lpips latency latency_p95 p99_latency_ms ttft inference_time kl_divergence fpr fnr
    false_positive_rate false_negative_rate hallucination_rate toxicity regret
    hausdorff_distance accuracy_loss peak_memory_mb crps pinball_loss
""".split()  # noqa: SIM905

NEUTRAL = """
    error_count loss_weight lr learning_rate grad_norm std_accuracy accuracy_std loss_std f1_var
    ks_stat drift data_drift num_errors n_samples support epoch step global_step batch_size
    model_size weight_decay momentum temperature loss_scale accuracy_delta error_rate_reduction
    f1_threshold score something colossal glossary flossing recaller maple accident class_weight
    bias seed win_rate_std generalization_gap flops
""".split()  # noqa: SIM905


@pytest.mark.parametrize("name", HIGHER)
def test_higher_is_better(name: str) -> None:
    assert direction(name) is True


@pytest.mark.parametrize("name", LOWER)
def test_lower_is_better(name: str) -> None:
    assert direction(name) is False


@pytest.mark.parametrize("name", NEUTRAL)
def test_no_direction(name: str) -> None:
    assert direction(name) is None


def test_what_the_version_declares_decides() -> None:
    assert direction("loss", True) is True
    assert direction("something", False) is False


@pytest.mark.parametrize("name", ["", "@", "@@@", "\x00", "é", "_" * 10_000, "a@b@c"])
def test_odd_names(name: str) -> None:
    assert direction(name) is None
