"""Three figures of a picture by which a change of light, camera or focus shows."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt


def light_and_focus(pixels: npt.NDArray[np.uint8]) -> dict[str, float]:
    """Return brightness and contrast (mean and standard deviation of grey, 0 to 1) and sharpness of uint8 [h, w, 3].

    Sharpness is the natural logarithm of one plus the variance of the Laplacian of grey on its 0 to 255 scale (Pech-Pacheco
    et al. 2000). It depends on the size, so all pictures are measured at the same one.
    """
    grey = pixels.astype(np.float32) @ np.array([0.299, 0.587, 0.114], dtype=np.float32)
    inner = grey[1:-1, 1:-1]
    laplacian = grey[:-2, 1:-1] + grey[2:, 1:-1] + grey[1:-1, :-2] + grey[1:-1, 2:] - 4 * inner
    return {
        "brightness": float(grey.mean()) / 255,
        "contrast": float(grey.std()) / 255,
        "sharpness": math.log1p(float(laplacian.var())),
    }
