/* SPDX-License-Identifier: MIT
 * A drawing, made once and used twice: within a page and as a file. How it looks is in chart.css, by class:
 * text is "muted" or plain, c0 .. c7 are the colours of series. All coordinates are in user units. */
#pragma once
#include <dpcxr/error.h>

enum { DPCXR_N_COLOURS = 8 };

typedef struct {
    int width, height;
    char *label;   /* what is to be seen, in a sentence: for who cannot */
    GString *body; /* elements */
    char *data;    /* (nullable) attributes of the svg element that the script reads */
} DpcxrSvg;

DpcxrSvg *dpcxr_svg_new(int width, int height, const char *label);
void dpcxr_svg_free(DpcxrSvg *svg);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrSvg, dpcxr_svg_free)

typedef enum { DPCXR_ANCHOR_START, DPCXR_ANCHOR_MIDDLE, DPCXR_ANCHOR_END } DpcxrAnchor;

/* @class (nullable): as in chart.css. Text is escaped; everything else is not. */
void dpcxr_svg_text(DpcxrSvg *svg, double x, double y, DpcxrAnchor anchor, const char *class,
                    const char *text);
void dpcxr_svg_line(DpcxrSvg *svg, double x1, double y1, double x2, double y2, const char *class);
void dpcxr_svg_rect(DpcxrSvg *svg, double x, double y, double width, double height, const char *class);
/* @x, @y: [n] places. A polyline, or with @closed a polygon. */
void dpcxr_svg_path(DpcxrSvg *svg, const double *x, const double *y, gsize n, gboolean closed,
                    const char *class);
/* A point that says what it stands for when it is pointed at: @text, also without a script. */
void dpcxr_svg_mark(DpcxrSvg *svg, double x, double y, double radius, const char *class, const char *text);
/* An element of another shape that says so: between the two calls comes what it consists of. */
void dpcxr_svg_begin_mark(DpcxrSvg *svg, double x, double y, const char *text);
void dpcxr_svg_end_mark(DpcxrSvg *svg);
/* Any markup. */
void dpcxr_svg_raw(DpcxrSvg *svg, const char *format, ...) G_GNUC_PRINTF(2, 3);

/* About how wide @text is, for margins. */
double dpcxr_svg_text_width(const char *text);

/* The drawing as an element of a page. */
void dpcxr_svg_to_page(const DpcxrSvg *svg, GString *page);
/* The drawing as a file, with its style. (transfer full) */
char *dpcxr_svg_to_file(const DpcxrSvg *svg);
