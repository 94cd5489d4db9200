"""Images with one fault each, and good ones."""

import imagecodecs
import numpy as np
from cases import (
    BYTES,
    FLOATS,
    JP2,
    JPEG,
    PNG,
    RGB,
    SIGNED,
    STACK,
    TIF,
    Case,
    bit_flipped,
    bytes_changed,
    copied,
    cut,
    filled_up,
    huge_header,
    jp2,
    lying,
    palette_png,
    png,
    removed,
    renamed,
    replaced,
    rewritten,
    stack,
    stack_in_steps,
    then,
    tif,
    turned,
)
from PIL import Image

PNG_BYTES = stack(png, BYTES, "z{:03}.png")


def all_in_one(folder):
    folder.mkdir()
    tif(folder / "all.tif", STACK, photometric="minisblack")


IMAGE_CASES = [
    Case("unpadded names", stack(name="z{}.tif"), "SLICE_ORDER", says="order by text would differ"),
    Case(
        "two numbers",
        then(stack(name="z{:03}_c01.tif"), stack(name="z{:03}_c02.tif")),
        "SLICE_AMBIGUOUS",
        says="number 1 (1 to 18, 18 values); number 2 (1 to 2, 2 values)",
    ),
    Case(
        "no numbers",
        then(
            TIF,
            lambda f: [
                p.rename(f / ("ab"[i % 2] * (i + 1) + ".tif"))
                for i, p in enumerate(sorted(f.iterdir()))
            ],
        ),
        "SLICE_AMBIGUOUS|SLICE_NAME",
    ),
    Case(
        "missing slice",
        then(TIF, removed("z008.tif")),
        "SLICES_GAPS",
        says="1 missing between 1 and 18: 8",
    ),
    Case(
        "same number twice",
        then(TIF, copied("z007.tif", "z7.tif")),
        "SLICE_DOUBLED",
        says="claim slice 7: ",
    ),
    Case(
        "a copy",
        then(TIF, copied("z007.tif", "z007 copy.tif")),
        "SLICE_DOUBLED",
        says="z007 copy.tif and z007.tif",
    ),
    Case(
        "odd name", then(TIF, copied("z007.tif", "overview.tif")), "SLICE_NAME", says="overview.tif"
    ),
    Case(
        "other ending",
        then(TIF, renamed("z018.tif", "z018.TIFF")),
        "SLICES_LEFT_OUT",
        says="z018.TIFF",
        keys={"pattern": "*.tif"},
    ),
    Case(
        "unfinished copy",
        then(TIF, renamed("z018.tif", "z018.tif.part")),
        "SLICE_PARTIAL",
        "z018.tif.part",
        keys={"pattern": "*.tif"},
    ),
    Case("no folder", lambda folder: None, "SLICES_FOLDER"),
    Case(
        "nothing matches",
        TIF,
        "SLICES_NONE",
        says="(images end in .tif)",
        keys={"pattern": "*.jp2"},
    ),
    Case("cut JP2", then(JP2, cut("z003.jp2")), "SLICE_UNREADABLE", "z003.jp2", "ends early"),
    Case(
        "links to nowhere",
        then(TIF, lambda f: [(f / f"z{z:03}.tif").symlink_to("annex") for z in (19, 20)]),
        "SLICE_UNREADABLE",
        "z019.tif",
        "link to a file that is not there",
    ),
    Case("cut PNG", then(PNG, cut("z003.png")), "SLICE_UNREADABLE", "z003.png", "ends early"),
    Case("cut TIFF", then(TIF, cut("z003.tif")), "SLICE_UNREADABLE", "z003.tif"),
    Case("cut JPEG", then(JPEG, cut("z003.jpg")), "SLICE_UNREADABLE", "z003.jpg", "ends early"),
    Case(
        "changed bytes in PNG", then(PNG, bytes_changed), "SLICE_UNREADABLE", "z004.png", "checksum"
    ),
    Case(
        "flipped bit in JP2",
        then(JP2, bit_flipped),
        "SLICE_UNREADABLE",
        "z004.jp2",
        "compressed pixels were changed",
    ),
    Case(
        "all of a foreign format",
        stack(lambda p, v: p.write_bytes(b"DICM" + v.tobytes()), name="z{:03}.tif"),
        "SLICE_FORMAT",
        "z018.tif",
        "DICM",
    ),
    Case(
        "empty file", then(JP2, replaced("z006.jp2", b"")), "SLICE_UNREADABLE", "z006.jp2", "empty"
    ),
    Case(
        "web page",
        then(JP2, replaced("z006.jp2", b"<html>404")),
        "SLICE_FORMAT",
        "z006.jp2",
        "<html>",
    ),
    Case(
        "header of 100,000 pixels",
        then(JP2, huge_header),
        "SLICE_UNREADABLE",
        "z005.jp2",
        "the header is damaged",
    ),
    Case(
        "other size",
        then(TIF, rewritten("z010.tif", tif, STACK[9, :70])),
        "SLICE_SIZE",
        "z010.tif",
        "is 80 x 70, the others 80 x 72",
    ),
    Case("turned", then(JPEG, turned), "SLICE_ORIENTATION", "z003.jpg", "tag 6"),
    Case(
        "turned, and the tag applied",
        then(JPEG, lying),
        "SLICE_TURNED",
        says="1 of 18 slices are turned as their orientation tags say: tag 6 at z = 2",
        keys={"orientation": "apply"},
    ),
    Case(
        "tag without meaning",
        then(TIF, rewritten("z004.tif", tif, STACK[3], extratags=[(274, 3, 1, 9, True)])),
        "SLICE_ORIENTATION",
        "z004.tif",
        "such a tag has no meaning",
        keys={"orientation": "apply"},
    ),
    Case(
        "sizes brought together",
        then(TIF, rewritten("z010.tif", tif, STACK[9, :70])),
        "SLICES_FITTED",
        says="1 of 18 slices padded with zeros (z = 9); files are 80 to 80 wide, 70 to 72 high",
        keys={"fit": {"width": 80, "height": 72}},
    ),
    Case(
        "cropped into the picture",
        TIF,
        "SLICE_CUT|SLICES_FITTED",
        "z001.tif",
        "voxels that are not 0, in rows 0 to 71 of the file",
        keys={"fit": {"width": 80, "height": 70}},
    ),
    Case(
        "8 among 16 bits",
        then(PNG, rewritten("z004.png", png, BYTES[3])),
        "SLICE_DEPTH",
        "z004.png",
        "8 bits",
    ),
    Case(
        "16 bits into uint8", TIF, "SLICE_DTYPE", says="do not fit uint8", keys={"dtype": "uint8"}
    ),
    Case(
        "12-bit JP2",
        stack(
            lambda p, v: p.write_bytes(imagecodecs.jpeg2k_encode(v, bitspersample=12)),
            name="z{:03}.jp2",
        ),
        "SLICE_NARROW",
        says="12 bits",
    ),
    Case("floats", stack(values=FLOATS), "SLICE_DTYPE", says="to: [0, 65535]}` would map them"),
    Case("signed", stack(values=SIGNED), "SLICE_DTYPE", says="`offset: 924` would"),
    Case("white is zero", stack(photometric="miniswhite"), "SLICE_WHITE"),
    Case("lossy TIFF", stack(values=BYTES, compression="jpeg"), "SLICE_LOSSY"),
    Case(
        "stack among slices",
        then(TIF, rewritten("z004.tif", tif, STACK[:3], photometric="minisblack")),
        "SLICE_PAGES",
        "z004.tif",
        "3 pages",
    ),
    Case(
        "many pages",
        all_in_one,
        "SLICES_PAGES",
        "all.tif",
        "18 pages",
    ),
    Case(
        "cut file of many pages",
        lambda f: (
            f.mkdir(),
            tif(f / "all.tif", STACK, photometric="minisblack"),
            cut("all.tif")(f),
        ),
        "SLICE_UNREADABLE",
        "all.tif",
        "it and those behind it are lost",
    ),
    Case("colours", stack(png, RGB, "z{:03}.png"), "SLICE_COLOUR", "z001.png"),
    Case(
        "blank slices",
        stack(values=np.concatenate([0 * STACK[:3], STACK])),
        "SLICE_CONSTANT",
        says="z = 0 to 2",
    ),
    Case(
        "bytes of one slice swapped",
        then(TIF, rewritten("z004.tif", tif, STACK[3].byteswap())),
        "SLICE_UNLIKE",
        "z004.tif",
    ),
    Case(
        "one slice scaled",
        then(TIF, rewritten("z004.tif", tif, STACK[3] // 16)),
        "SLICE_UNLIKE",
        "z004.tif",
        "of the brightness of the slices beside it",
    ),
    Case(
        "repeated slice",
        then(TIF, copied("z004.tif", "z005.tif")),
        "SLICE_REPEATED",
        "z005.tif",
        "z004.tif",
    ),
    Case(
        "other format inside",
        stack(lambda p, v: Image.fromarray(v).save(p, "PNG"), name="z{:03}.tif"),
        "SLICE_NAMED",
        says="18 files",
    ),
    Case(
        "nanometers for micrometers",
        stack(resolution=(5000, 5000), resolutionunit="CENTIMETER"),
        "VOXEL_UNIT",
        "z001.tif",
        says="a factor of 0.001",
        keys={"voxel_unit": "nanometers"},
    ),
    Case(
        "axes swapped",
        lambda f: (
            f.mkdir(),
            tif(
                f / "a.ome.tif",
                STACK,
                metadata={
                    "axes": "ZYX",
                    "PhysicalSizeX": 5.0,
                    "PhysicalSizeY": 2.0,
                    "PhysicalSizeZ": 2.0,
                },
            ),
        ),
        "VOXEL_AXES",
        "a.ome.tif page 1",
        "(PhysicalSizeX, PhysicalSizeY, PhysicalSizeZ)",
    ),
    Case(
        "other voxel size",
        stack(resolution=(4000, 4000), resolutionunit="CENTIMETER"),
        "VOXEL_SIZE",
        "z001.tif",
        "18 of 18 slices say x 2.5, y 2.5 micrometers (XResolution, YResolution)",
    ),
    Case("gap closed", then(TIF, removed("z008.tif")), "SLICES_FILLED", keys={"gaps": "close"}),
]

IMAGE_CASES += [
    Case(
        "JPEG among PNG",
        then(
            stack(png, BYTES, "z{:03}.png"),
            lambda f: Image.fromarray(BYTES[3]).save(f / "z004.png", "JPEG"),
        ),
        "SLICE_MIXED",
        "z004.png",
        "lossy jpeg",
    ),
    Case(
        "one white-is-zero",
        then(TIF, rewritten("z004.tif", tif, STACK[3], photometric="miniswhite")),
        "SLICE_POLARITY",
        "z004.tif",
    ),
    Case("coloured palette", stack(palette_png, BYTES, "z{:03}.png"), "SLICE_PALETTE"),
    Case(
        "one palette among greys",
        then(PNG_BYTES, rewritten("z004.png", palette_png, BYTES[3])),
        "SLICE_PALETTE",
        "z004.png",
        "has a palette of 256 colours, the others have none",
    ),
    Case("complex numbers", stack(values=STACK.astype(np.complex64)), "SLICE_TYPE", "z001.tif"),
    Case("every tenth", stack_in_steps, "SLICE_STEPS", says="steps of 25"),
]

GOOD_IMAGES = {
    "tif": TIF,
    "jp2": JP2,
    "png": PNG,
    "jpg": JPEG,
    "bytes": PNG_BYTES,
    "big-endian": stack(byteorder=">"),
    "tiled": stack(tile=(16, 32), compression="zlib"),
    "whole floats": stack(values=STACK.astype(np.float32)),
    "positive int16": stack(values=STACK.astype(np.int16)),
    "equal colours": stack(png, np.stack([BYTES] * 3, -1), "z{:03}.png"),
    "with dates": stack(name="2021-03-04 scan z{:03} of 18.tif"),
    "in steps": stack_in_steps,
    "PNG and zeros": then(PNG, filled_up),
    "J2K and zeros": then(stack(jp2, name="z{:03}.j2k"), filled_up),
    "jpg and zeros": then(JPEG, filled_up),
    "beside junk": then(
        TIF, lambda f: [(f / n).write_bytes(b"x") for n in ("Thumbs.db", "._z001.tif", ".DS_Store")]
    ),
    "with previews": then(
        TIF, lambda f: [png(f / f"z{z:03}.png", BYTES[z - 1]) for z in range(1, 19)]
    ),
}
