"""A run on one HTML page that needs no network: data in, text out."""

from __future__ import annotations

from archbuild.report.hover import hover_images, hover_series, hover_table
from archbuild.report.page import Report, Section, render_page
from archbuild.report.points import LIMIT, Categories, Measure, map_document
from archbuild.report.words import Remark, quality_in_words, stage_in_words

__all__ = [
    "LIMIT",
    "Categories",
    "Measure",
    "Remark",
    "Report",
    "Section",
    "hover_images",
    "hover_series",
    "hover_table",
    "map_document",
    "quality_in_words",
    "render_page",
    "stage_in_words",
]
