# SPDX-License-Identifier: Apache-2.0
"""Cases of listed operators that do not pass, one by one."""

from __future__ import annotations

#: What the refusal says (a regular expression), why, and the cases.
_REFUSED: tuple[tuple[str, str, tuple[str, ...]], ...] = (
    (
        "block_size",
        "a scale per block",
        (
            "test_dequantizelinear_blocked",
            "test_quantizelinear_blocked_asymmetric",
            "test_quantizelinear_blocked_symmetric",
        ),
    ),
    (
        "one scale per channel",
        "an activation with a scale per channel",
        ("test_quantizelinear_axis",),
    ),
    (
        "differ in zero point",
        "channels with zero points of their own",
        ("test_dequantizelinear_axis",),
    ),
    (
        "ONNX data type 11",
        "float64 inside",
        (
            "test_attention_local_window_gqa_rank4_mask_expanded",
            "test_reduce_log_sum_exp_empty_set_expanded",
        ),
    ),
    (
        "has rank 7",
        "more than six axes",
        (
            "test_nllloss_NCd1d2d3d4d5_mean_weight_expanded",
            "test_nllloss_NCd1d2d3d4d5_none_no_weight_expanded",
        ),
    ),
    (
        r"rank 3 \[N, C, W\] or 4",
        "three dimensions of space",
        (
            "test_averagepool_3d_default",
            "test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_False",
            "test_averagepool_3d_dilations_large_count_include_pad_is_0_ceil_mode_is_True",
            "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_False",
            "test_averagepool_3d_dilations_large_count_include_pad_is_1_ceil_mode_is_True",
            "test_averagepool_3d_dilations_small",
            "test_convtranspose_3d",
            "test_lppool_3d_default",
            "test_maxpool_3d_default",
            "test_maxpool_3d_dilations",
            "test_maxpool_3d_dilations_use_ref_impl",
            "test_maxpool_3d_dilations_use_ref_impl_large",
        ),
    ),
    (
        "training_mode",
        "training",
        (
            "test_batchnorm_epsilon_training_mode",
            "test_batchnorm_example_training_mode",
            "test_training_dropout",
            "test_training_dropout_default",
            "test_training_dropout_default_mask",
            "test_training_dropout_mask",
        ),
    ),
)

#: Case to what its refusal says.
EXCLUSIONS = {name: message for message, _, names in _REFUSED for name in names}

#: Cases that expect another reading of the text than ours and onnxruntime's: the coordinate of
#: align_corners divides by (output extent - 1), here an integer, there scale * input extent.
DISPUTED = (
    "test_resize_downsample_scales_cubic_align_corners",
    "test_resize_downsample_scales_linear_align_corners",
)
