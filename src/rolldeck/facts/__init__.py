"""What a version says of itself: one reader per source, one rule of precedence, version order."""

from rolldeck.facts.collect import collect
from rolldeck.facts.model import (
    DataSet,
    EnvironmentFact,
    Facts,
    LineageFact,
    Metric,
    Parameter,
    Value,
)
from rolldeck.facts.tensors import (
    MalformedHeaderError,
    Tensor,
    TensorHeader,
    read_tensor_header,
)
from rolldeck.facts.versions import (
    Scheme,
    VersionOrder,
    channel_tags,
    is_moving_tag,
    is_referrer_tag,
    is_version_tag,
    order_tags,
    sort_versions,
    version_label,
)

__all__ = [
    "DataSet",
    "EnvironmentFact",
    "Facts",
    "LineageFact",
    "MalformedHeaderError",
    "Metric",
    "Parameter",
    "Scheme",
    "Tensor",
    "TensorHeader",
    "Value",
    "VersionOrder",
    "channel_tags",
    "collect",
    "is_moving_tag",
    "is_referrer_tag",
    "is_version_tag",
    "order_tags",
    "read_tensor_header",
    "sort_versions",
    "version_label",
]
