"""The shape of a model, as its config gives it."""

from __future__ import annotations

from .result import Result

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .words import Count, LayerKind, Positive, Routed, Said

__all__ = ["Architecture", "Experts", "Layer", "Mla"]


class Layer(Result):
    """One layer.

    Attributes:
        kind: ``full`` attention, ``sliding`` window, ``linear`` (a state of fixed size: linear
            attention, Mamba, convolution) or ``absent`` (no attention).
        heads: query heads.
        kv_heads: key and value heads.
        key_size: numbers in a key, per head.
        value_size: numbers in a value, per head.
        window: tokens in the window of a sliding layer.
        intermediate: size of the dense MLP; None when there is none.
        experts: whether the MLP is a mixture of experts.
        shares_cache: whether it reads the KV cache of an earlier layer.
        compression: tokens that share one entry of the cache, beside the window.
        caches: attention blocks in the layer, each with its own cache.
    """

    kind: LayerKind
    heads: Count
    kv_heads: Count
    key_size: Count
    value_size: Count
    window: Positive | None
    intermediate: Positive | None
    experts: bool
    shares_cache: bool
    compression: Positive
    caches: Positive


class Mla(Result):
    """Multi-head latent attention: one compressed vector per token.

    Attributes:
        kv_rank: ``kv_lora_rank``.
        q_rank: ``q_lora_rank``; None when queries are not compressed.
        rope_size: ``qk_rope_head_dim``.
        nope_size: ``qk_nope_head_dim``.
        value_size: ``v_head_dim``.
        index_size: ``index_head_dim`` of sparse attention.
    """

    kv_rank: Positive
    q_rank: Positive | None
    rope_size: Positive | None
    nope_size: Positive | None
    value_size: Positive | None
    index_size: Positive | None


class Experts(Result):
    """The experts of a mixture-of-experts model.

    Attributes:
        routed: how many there are to choose from, per layer.
        shared: how many see every token.
        per_token: how many a token is sent to.
        intermediate: size of one routed expert.
        shared_intermediate: size of all shared experts together.
    """

    routed: Routed
    shared: Count
    per_token: Positive | None
    intermediate: Positive | None
    shared_intermediate: Positive | None


class Architecture(Result):
    """The shape of a model; None stands for what its config does not say.

    Attributes:
        model_type: of the whole model.
        text_type: of the part that generates text.
        classes: ``architectures``.
        hidden: size of the hidden state.
        intermediate: size of the dense MLP.
        vocabulary: number of tokens.
        heads: query heads.
        kv_heads: key and value heads.
        head_size: numbers in a key, per head.
        max_length: longest context, in tokens.
        window: tokens of the sliding window.
        mla: sizes of multi-head latent attention.
        experts: the experts; None for a dense model.
        layers: one entry per layer.
        tied_embeddings: whether the output layer is the embedding.
        dtype: such as ``bfloat16``.
    """

    model_type: Said | None
    text_type: Said | None
    classes: list[str]
    hidden: Positive | None
    intermediate: Positive | None
    vocabulary: Positive | None
    heads: Positive | None
    kv_heads: Positive | None
    head_size: Positive | None
    max_length: Positive | None
    window: Positive | None
    mla: Mla | None
    experts: Experts | None
    layers: list[Layer]
    tied_embeddings: bool | None
    dtype: Said | None

    _least = (("layers", 1),)
