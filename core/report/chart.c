/* SPDX-License-Identifier: MIT */
#include "report/chart.h"

enum { KEY_HEIGHT = 18, KEY_LINE = 20, KEY_GAP = 16 };

void dpcxr_frame_place(DpcxrFrame *frame, const DpcxrSvg *svg, double left, double top, double right,
                       double bottom)
{
    frame->left = frame->x.start = left;
    frame->right = frame->x.end = svg->width - right;
    frame->top = frame->y.end = top;
    frame->bottom = frame->y.start = svg->height - bottom;
}

static void draw_x_ticks(const DpcxrFrame *frame, DpcxrSvg *svg)
{
    double ticks[DPCXR_MAX_TICKS];
    int n = dpcxr_scale_ticks(&frame->x, frame->x_ticks, ticks);
    for (int i = 0; i < n; i++) {
        g_autofree char *text = dpcxr_tick_text(&frame->x, ticks, n, i);
        double x = dpcxr_scale_at(&frame->x, ticks[i]);
        dpcxr_svg_line(svg, x, frame->top, x, frame->bottom, "grid");
        dpcxr_svg_text(svg, x, frame->bottom + 16, DPCXR_ANCHOR_MIDDLE, "tick", text);
    }
}

static void draw_y_ticks(const DpcxrFrame *frame, DpcxrSvg *svg)
{
    double ticks[DPCXR_MAX_TICKS];
    int n = dpcxr_scale_ticks(&frame->y, frame->y_ticks, ticks);
    for (int i = 0; i < n; i++) {
        g_autofree char *text = dpcxr_tick_text(&frame->y, ticks, n, i);
        double y = dpcxr_scale_at(&frame->y, ticks[i]);
        dpcxr_svg_line(svg, frame->left, y, frame->right, y, "grid");
        dpcxr_svg_text(svg, frame->left - 6, y + 4, DPCXR_ANCHOR_END, "tick", text);
    }
}

static void draw_titles(const DpcxrFrame *frame, DpcxrSvg *svg)
{
    if (frame->x_title)
        dpcxr_svg_text(svg, (frame->left + frame->right) / 2, frame->bottom + 34, DPCXR_ANCHOR_MIDDLE, "axis",
                       frame->x_title);
    if (!frame->y_title)
        return;
    double y = (frame->top + frame->bottom) / 2;
    dpcxr_svg_raw(svg, "<g transform=\"rotate(-90 12 %.1f)\">", y);
    dpcxr_svg_text(svg, 12, y, DPCXR_ANCHOR_MIDDLE, "axis", frame->y_title);
    dpcxr_svg_raw(svg, "</g>");
}

static char *scale_data(const char *name, const DpcxrScale *scale, int ticks)
{
    return g_strdup_printf("data-%s=\"%.9g %.9g %s %d\"", name, scale->low, scale->high,
                           scale->log ? "log" : "linear", ticks);
}

/* What the script needs to know to draw the axes of a part. */
static void put_data(const DpcxrFrame *frame, DpcxrSvg *svg)
{
    g_autofree char *x = scale_data("x", &frame->x, frame->x_ticks),
                    *y = scale_data("y", &frame->y, frame->y_ticks);
    g_free(svg->data);
    svg->data = g_strdup_printf("data-zoom=\"%s%s\" data-box=\"%.1f %.1f %.1f %.1f\" %s %s",
                                frame->zoom & DPCXR_ZOOM_X ? "x" : "", frame->zoom & DPCXR_ZOOM_Y ? "y" : "",
                                frame->left, frame->top, frame->right, frame->bottom, x, y);
}

/* A nested svg clips what is drawn beyond its edges, without an id that had to be unique in the page. */
void dpcxr_frame_begin(const DpcxrFrame *frame, DpcxrSvg *svg)
{
    double width = frame->right - frame->left, height = frame->bottom - frame->top;
    put_data(frame, svg);
    dpcxr_svg_raw(svg, "<g class=\"axes\">");
    if (frame->x_ticks)
        draw_x_ticks(frame, svg);
    if (frame->y_ticks)
        draw_y_ticks(frame, svg);
    dpcxr_svg_raw(svg, "</g>");
    draw_titles(frame, svg);
    dpcxr_svg_rect(svg, frame->left, frame->top, width, height, "frame");
    dpcxr_svg_raw(svg,
                  "<svg class=\"plot\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\" "
                  "viewBox=\"%.1f %.1f %.1f %.1f\">",
                  frame->left - 5, frame->top - 5, width + 10, height + 10, frame->left - 5, frame->top - 5,
                  width + 10, height + 10);
}

void dpcxr_frame_end(DpcxrSvg *svg)
{
    dpcxr_svg_raw(svg, "</svg>");
}

double dpcxr_legend(DpcxrSvg *svg, const DpcxrKey *keys, gsize n, double left, gboolean draw)
{
    double x = left, y = 12;
    if (n == 0)
        return 0;
    for (gsize i = 0; i < n; i++) {
        double width = KEY_LINE + 6 + dpcxr_svg_text_width(keys[i].name);
        if (x > left && x + width > svg->width)
            x = left, y += KEY_HEIGHT;
        if (draw) {
            g_autofree char *class =
                g_strdup_printf("line c%d%s", keys[i].colour, keys[i].dashed ? " dashed" : "");
            dpcxr_svg_line(svg, x, y - 4, x + KEY_LINE, y - 4, class);
            dpcxr_svg_text(svg, x + KEY_LINE + 6, y, DPCXR_ANCHOR_START, NULL, keys[i].name);
        }
        x += width + KEY_GAP;
    }
    return y + KEY_HEIGHT - 12;
}
