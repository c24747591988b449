"""Codes that tell what a photograph was taken with and of, as the standard and older devices write.

The first code is of SNOMED CT, the second, where there is one, its retired spelling (SRT). Sources:
PS3.16 CID 4202 and 4210 (devices), CID 4209 (structures).
"""

from typing import Final

OCT_SCANNER: Final = frozenset({"392012008", "A-00FBE"})
LASER_OPHTHALMOSCOPE: Final = frozenset({"392001008", "A-00E8A"})

#: Devices that do not photograph the retina as it looks.
OTHER_DEVICES: Final = {
    "397247004": "slit lamp",
    "A-2B201": "slit lamp",
    "397522002": "keratoscope",
    "409902001": "endoscope",
    "409903006": "external camera",
    "R-1021B": "external camera",
    "409899004": "specular microscope",
    "420827006": "pupillograph",
    "102321001": "operating microscope",
    "1362124004": "fluorescence lifetime ophthalmoscope",
}

#: The eye as a whole.
EYE: Final = frozenset({"81745001", "T-AA000", "40638003", "T-AA180"})

#: What a photograph of the fundus shows.
FUNDUS: Final = {
    "5665001": "retina",
    "T-AA610": "retina",
    "81016008": "optic nerve head",
    "T-AA630": "optic nerve head",
    "67046006": "fovea",
    "T-AA621": "fovea",
    "68703001": "choroid",
    "T-AA310": "choroid",
    "26386000": "vitreous",
    "T-AA079": "vitreous",
}

#: The front of the eye and what surrounds it.
FRONT_OF_THE_EYE: Final = {
    "31636006": "anterior chamber",
    "T-AA050": "anterior chamber",
    "29534007": "ciliary body",
    "T-AA400": "ciliary body",
    "29445007": "conjunctiva",
    "T-AA860": "conjunctiva",
    "28726007": "cornea",
    "T-AA200": "cornea",
    "65431007": "corneal endothelium",
    "T-AA260": "corneal endothelium",
    "15775008": "corneal epithelium",
    "T-AA220": "corneal epithelium",
    "80243003": "eyelid",
    "T-AA810": "eyelid",
    "62736007": "lower eyelid",
    "T-AA830": "lower eyelid",
    "38934000": "upper eyelid",
    "T-AA820": "upper eyelid",
    "41296002": "iris",
    "T-AA500": "iris",
    "43045000": "lacrimal caruncle",
    "T-AA862": "lacrimal caruncle",
    "13561001": "lacrimal gland",
    "T-AA910": "lacrimal gland",
    "3954005": "lacrimal sac",
    "T-AA940": "lacrimal sac",
    "78076003": "lens",
    "T-AA700": "lens",
    "18619003": "sclera",
    "T-AA110": "sclera",
}
