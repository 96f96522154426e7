# SPDX-License-Identifier: Apache-2.0
"""From scans of people in clothes to the body beneath."""

from bitpose.body.fit.scan.fitter import ScanFit, ScanFitter
from bitpose.body.fit.scan.scans import Scan

__all__ = ["Scan", "ScanFit", "ScanFitter"]
