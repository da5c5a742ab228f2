"""The phones that pass the station: invented makes, with the measures (in mm) and colours that make them tell apart."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Lens:
    """One round part of the camera: where it lies on the back (mm from the centre) and its radius (mm)."""

    u: float
    v: float
    radius: float
    flash: bool = False


@dataclass(frozen=True)
class Island:
    """The raised plate under the lenses: centre, half sizes and corner radius, in mm."""

    u: float
    v: float
    half_u: float
    half_v: float
    radius: float


@dataclass(frozen=True)
class Finish:
    """One colour of a model: back and frame as sRGB, and how mirror-like the back is (0 satin, 1 polished glass)."""

    name: str
    back: str
    frame: str
    gloss: float


@dataclass(frozen=True)
class Model:
    """One model. u runs along the phone with its top at negative u, v across it; buttons are (side, u, length)."""

    name: str
    code: str
    length: float
    width: float
    corner: float
    frame: float
    bezel: float
    chin: float
    front_camera: str
    buttons: tuple[tuple[int, float, float], ...]
    islands: tuple[Island, ...]
    lenses: tuple[Lens, ...]
    finishes: tuple[Finish, ...]


MODELS = (
    Model(
        "Halden 7", "HD7", 147.0, 71.5, 11.5, 1.5, 2.1, 0.0, "pill",
        ((1, -22.0, 11.0), (-1, -36.0, 5.0), (-1, -25.0, 8.5), (-1, -14.0, 8.5)),
        (Island(-54.5, -16.5, 15.5, 15.5, 8.5),),
        (Lens(-61.0, -23.0, 6.4), Lens(-48.0, -10.0, 6.4), Lens(-48.6, -23.4, 2.1, flash=True)),
        (
            Finish("midnight", "#20262e", "#3b4149", 0.8),
            Finish("starlight", "#d8d2c6", "#c9c4ba", 0.7),
            Finish("sea blue", "#6f8ca3", "#8298a8", 0.7),
        ),
    ),
    Model(
        "Halden 7 Max", "HM7", 161.0, 77.5, 12.5, 1.7, 1.8, 0.0, "pill",
        ((1, -24.0, 13.0), (-1, -40.0, 5.0), (-1, -28.0, 9.5), (-1, -16.0, 9.5)),
        (Island(-57.5, -16.0, 19.0, 19.0, 9.5),),
        (
            Lens(-66.0, -24.5, 7.4), Lens(-48.5, -24.5, 7.4), Lens(-57.2, -7.8, 7.4),
            Lens(-68.0, -5.5, 2.2, flash=True),
        ),
        (
            Finish("graphite", "#3c3d40", "#57585b", 0.25),
            Finish("silver", "#cfd1d0", "#dcdddc", 0.25),
            Finish("deep violet", "#4a4159", "#625a70", 0.25),
        ),
    ),
    Model(
        "Ostra S4", "OS4", 150.5, 70.5, 9.0, 1.3, 1.9, 1.0, "hole",
        ((1, -8.0, 10.0), (1, -28.0, 19.0)),
        (),
        (
            Lens(-62.0, -22.5, 5.4), Lens(-46.5, -22.5, 5.4), Lens(-31.5, -22.5, 4.6),
            Lens(-60.5, -12.0, 1.8, flash=True),
        ),
        (
            Finish("onyx", "#1d1e20", "#303236", 0.9),
            Finish("sage", "#a9b7a4", "#b7c0b2", 0.5),
            Finish("lilac", "#b9aec8", "#c4bccf", 0.5),
        ),
    ),
    Model(
        "Ostra Note", "ONT", 163.5, 77.0, 4.5, 1.4, 1.4, 0.0, "hole",
        ((1, -12.0, 11.0), (1, -34.0, 21.0)),
        (),
        (
            Lens(-67.0, -25.0, 5.8), Lens(-50.5, -25.0, 5.8), Lens(-34.0, -25.0, 5.8),
            Lens(-59.0, -13.5, 3.2), Lens(-67.5, -13.5, 1.9, flash=True),
        ),
        (
            Finish("phantom black", "#191a1c", "#2a2b2e", 0.35),
            Finish("burgundy", "#5a2a35", "#6d3d47", 0.6),
            Finish("cream", "#dfd8c8", "#b9a98c", 0.45),
        ),
    ),
    Model(
        "Tern 3", "TN3", 152.5, 72.0, 8.0, 1.5, 2.3, 1.6, "notch",
        ((1, -18.0, 9.0), (1, -2.0, 17.0)),
        (Island(-50.0, 0.0, 9.5, 36.0, 0.6),),
        (Lens(-50.0, -14.0, 5.8), Lens(-50.0, 1.5, 5.8), Lens(-50.0, 16.5, 2.4, flash=True)),
        (
            Finish("charcoal", "#2e3032", "#232426", 0.55),
            Finish("coral", "#c9796a", "#b5695b", 0.5),
            Finish("mist", "#c3cbce", "#a9b1b5", 0.5),
        ),
    ),
    Model(
        "Piko Mini", "PKM", 136.0, 65.5, 8.5, 1.6, 3.6, 13.5, "button",
        ((1, -30.0, 10.0), (-1, -38.0, 5.0), (-1, -28.0, 8.0), (-1, -18.0, 8.0)),
        (),
        (Lens(-57.0, -22.0, 5.2), Lens(-57.0, -11.8, 2.0, flash=True)),
        (
            Finish("space grey", "#55585c", "#6a6d71", 0.15),
            Finish("rose", "#d6b3a8", "#dcbcb2", 0.2),
            Finish("red", "#9c1f2b", "#a5303b", 0.6),
        ),
    ),
)  # fmt: skip
