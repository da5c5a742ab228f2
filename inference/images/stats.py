"""Three figures of a picture by which a change of light, camera or focus shows."""

from __future__ import annotations

import math
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt


def light_and_focus(pixels: npt.NDArray[np.uint8]) -> dict[str, float]:
    """Return brightness and contrast (mean and standard deviation of grey, 0 to 1) and sharpness of uint8 [h, w, 3].

    Sharpness is the natural logarithm of one plus the variance of the Laplacian of grey on its 0 to 255 scale (Pech-Pacheco
    et al. 2000). It depends on the size, so all pictures are measured at the same one.
    """
    grey = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    mean, deviation = cv2.meanStdDev(grey)
    # The edge of the picture, beyond which nothing lies, says nothing about focus.
    edges = _laplacian(grey)
    # From whole sums, which are exact and take a tenth of the time of `meanStdDev` for this type.
    spread = cv2.norm(edges, cv2.NORM_L2SQR) / edges.size - (cv2.sumElems(edges)[0] / edges.size) ** 2
    return {
        "brightness": float(mean[0, 0]) / 255,
        "contrast": float(deviation[0, 0]) / 255,
        "sharpness": math.log1p(max(0.0, spread)),
    }


def _laplacian(grey: npt.NDArray[Any]) -> npt.NDArray[np.int16]:
    """Return the four neighbours minus four times itself for all but the edge: OpenCV's own, in half the time."""
    wide = grey.astype(np.int16)
    around = cv2.add(cv2.add(wide[:-2, 1:-1], wide[2:, 1:-1]), cv2.add(wide[1:-1, :-2], wide[1:-1, 2:]))
    return cv2.scaleAdd(wide[1:-1, 1:-1], -4, around)  # type: ignore[return-value]
