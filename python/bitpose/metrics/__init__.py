# SPDX-License-Identifier: Apache-2.0
"""The measures of pose, detection and dense pose that papers report.

`points` (MPJPE, PVE, acceleration), `keypoints` (PCK, PCKh, 3DPCK, AUC), `overlap` (IoU of boxes
and masks, OKS), `average_precision` (COCO's procedure), `coco` (COCO's files), `dense_pose` (GPS,
GPSm, part accuracy).
"""

from bitpose.metrics.average_precision import (
    DETECTION,
    PEOPLE,
    AveragePrecision,
    Image,
    Protocol,
    average_precision,
)
from bitpose.metrics.keypoints import auc_3d, pck, pck_3d, pckh
from bitpose.metrics.overlap import box_iou, mask_iou, oks
from bitpose.metrics.points import acceleration_error, mpjpe, pa_mpjpe, pa_pve, pve

__all__ = [
    "DETECTION",
    "PEOPLE",
    "AveragePrecision",
    "Image",
    "Protocol",
    "acceleration_error",
    "auc_3d",
    "average_precision",
    "box_iou",
    "mask_iou",
    "mpjpe",
    "oks",
    "pa_mpjpe",
    "pa_pve",
    "pck",
    "pck_3d",
    "pckh",
    "pve",
]
