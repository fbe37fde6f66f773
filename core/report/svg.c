/* SPDX-License-Identifier: MIT */
#include "report/svg.h"
#include "report/markup.h"
#include "report/resource.h"
#include <math.h>

DpcxrSvg *dpcxr_svg_new(int width, int height, const char *label)
{
    DpcxrSvg *svg = g_new0(DpcxrSvg, 1);
    svg->width = width;
    svg->height = height;
    svg->label = g_strdup(label);
    svg->body = g_string_new(NULL);
    return svg;
}

void dpcxr_svg_free(DpcxrSvg *svg)
{
    if (!svg)
        return;
    g_free(svg->label);
    g_string_free(svg->body, TRUE);
    g_free(svg->data);
    g_free(svg);
}

static void put_class(DpcxrSvg *svg, const char *class)
{
    if (class)
        g_string_append_printf(svg->body, " class=\"%s\"", class);
}

/* A tenth of a unit is finer than a pixel. */
static void put_number(DpcxrSvg *svg, double value)
{
    double tenths = round(value * 10);
    g_string_append_printf(svg->body, "%g", tenths == 0 ? 0 : tenths / 10);
}

static void put_place(DpcxrSvg *svg, const char *name, double value)
{
    g_string_append_printf(svg->body, " %s=\"", name);
    put_number(svg, value);
    g_string_append_c(svg->body, '"');
}

void dpcxr_svg_text(DpcxrSvg *svg, double x, double y, DpcxrAnchor anchor, const char *class,
                    const char *text)
{
    static const char *const anchors[] = {"start", "middle", "end"};
    g_string_append(svg->body, "<text");
    put_place(svg, "x", x);
    put_place(svg, "y", y);
    if (anchor != DPCXR_ANCHOR_START)
        g_string_append_printf(svg->body, " text-anchor=\"%s\"", anchors[anchor]);
    put_class(svg, class);
    g_string_append_c(svg->body, '>');
    dpcxr_markup_text(svg->body, text);
    g_string_append(svg->body, "</text>");
}

void dpcxr_svg_line(DpcxrSvg *svg, double x1, double y1, double x2, double y2, const char *class)
{
    g_string_append(svg->body, "<line");
    put_place(svg, "x1", x1);
    put_place(svg, "y1", y1);
    put_place(svg, "x2", x2);
    put_place(svg, "y2", y2);
    put_class(svg, class);
    g_string_append(svg->body, "/>");
}

void dpcxr_svg_rect(DpcxrSvg *svg, double x, double y, double width, double height, const char *class)
{
    g_string_append(svg->body, "<rect");
    put_place(svg, "x", x);
    put_place(svg, "y", y);
    put_place(svg, "width", width);
    put_place(svg, "height", height);
    put_class(svg, class);
    g_string_append(svg->body, "/>");
}

void dpcxr_svg_path(DpcxrSvg *svg, const double *x, const double *y, gsize n, gboolean closed,
                    const char *class)
{
    g_string_append(svg->body, closed ? "<polygon points=\"" : "<polyline points=\"");
    for (gsize i = 0; i < n; i++) {
        if (i > 0)
            g_string_append_c(svg->body, ' ');
        put_number(svg, x[i]);
        g_string_append_c(svg->body, ',');
        put_number(svg, y[i]);
    }
    g_string_append_c(svg->body, '"');
    put_class(svg, class);
    g_string_append(svg->body, "/>");
}

void dpcxr_svg_mark(DpcxrSvg *svg, double x, double y, double radius, const char *class, const char *text)
{
    g_string_append(svg->body, "<circle");
    put_place(svg, "cx", x);
    put_place(svg, "cy", y);
    put_place(svg, "r", radius);
    g_string_append_printf(svg->body, " class=\"mark %s\"><title>", class);
    dpcxr_markup_text(svg->body, text);
    g_string_append(svg->body, "</title></circle>");
}

void dpcxr_svg_begin_mark(DpcxrSvg *svg, double x, double y, const char *text)
{
    g_string_append(svg->body, "<g class=\"mark\"");
    put_place(svg, "data-x", x);
    put_place(svg, "data-y", y);
    g_string_append(svg->body, "><title>");
    dpcxr_markup_text(svg->body, text);
    g_string_append(svg->body, "</title>");
}

void dpcxr_svg_end_mark(DpcxrSvg *svg)
{
    g_string_append(svg->body, "</g>");
}

void dpcxr_svg_raw(DpcxrSvg *svg, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_string_append_vprintf(svg->body, format, arguments);
    va_end(arguments);
}

double dpcxr_svg_text_width(const char *text)
{
    glong n = g_utf8_validate(text, -1, NULL) ? g_utf8_strlen(text, -1) : 0;
    return 6.3 * (double)n; /* the mean of a sans serif at 12 units */
}

static void put_label(const DpcxrSvg *svg, GString *out)
{
    g_string_append(out, " role=\"img\" aria-label=\"");
    dpcxr_markup_text(out, svg->label);
    g_string_append_c(out, '"');
}

void dpcxr_svg_to_page(const DpcxrSvg *svg, GString *page)
{
    g_string_append_printf(page, "<svg class=\"chart\" viewBox=\"0 0 %d %d\"", svg->width, svg->height);
    put_label(svg, page);
    if (svg->data)
        g_string_append_printf(page, " tabindex=\"0\" %s", svg->data);
    g_string_append_c(page, '>');
    g_string_append_len(page, svg->body->str, (gssize)svg->body->len);
    g_string_append(page, "</svg>\n");
}

char *dpcxr_svg_to_file(const DpcxrSvg *svg)
{
    GString *out = g_string_new("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    g_string_append_printf(
        out,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart file\" width=\"%d\" height=\"%d\" "
        "viewBox=\"0 0 %d %d\"",
        svg->width, svg->height, svg->width, svg->height);
    put_label(svg, out);
    g_string_append(out, ">\n<style>\n");
    g_string_append(out, dpcxr_report_resource("chart.css"));
    g_string_append(out, "</style>\n<rect width=\"100%\" height=\"100%\" class=\"paper\"/>\n");
    g_string_append_len(out, svg->body->str, (gssize)svg->body->len);
    g_string_append(out, "\n</svg>\n");
    return g_string_free(out, FALSE);
}
