/* SPDX-License-Identifier: MIT
 * Images with what the model says of them: what it is sure of, rightly and wrongly. */
#include "report/markup.h"
#include "report/metric-names.h"
#include "report/sections.h"
#include <string.h>

static const struct {
    const char *kind, *text;
} kinds[] = {
    {"true_positive", "rightly called positive"},
    {"false_positive", "wrongly called positive"},
    {"false_negative", "wrongly called negative"},
    {"true_negative", "rightly called negative"},
};

static const char *kind_text(const char *kind)
{
    for (gsize i = 0; kind && i < G_N_ELEMENTS(kinds); i++)
        if (g_str_equal(kind, kinds[i].kind))
            return kinds[i].text;
    return "";
}

/* A name within the folder, and no way out of it. */
static char *image_path(const DpcxrRunFiles *run, const char *file, GError **error)
{
    if (file && !strchr(file, '/') && file[0] != '.')
        return g_build_filename(run->root, "private", "samples", file, NULL);
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA,
                "%s/private/samples/samples.json: \"%s\" is not a file there", run->root, file ? file : "");
    return NULL;
}

static void write_captions(GString *out, JsonObject *sample)
{
    const char *label = dpcxr_look_string(sample, "label"), *name = dpcxr_look_string(sample, "sample");
    g_autofree char *score = dpcxr_number_text(dpcxr_look_number(sample, "score"), 3);
    g_string_append(out, "<b>");
    dpcxr_markup_text(out, label);
    g_string_append_printf(out, " %s</b>", score);
    dpcxr_markup_text(out, kind_text(dpcxr_look_string(sample, "kind")));
    g_string_append(out, "<br><span class=\"why\">");
    dpcxr_markup_text(out, name);
    g_string_append(out, "</span>");
}

static gboolean write_sample(DpcxrPage *page, const DpcxrRunFiles *run, JsonObject *sample, GError **error)
{
    g_autofree char *path = image_path(run, dpcxr_look_string(sample, "file"), error), *content = NULL;
    g_autoptr(GError) local = NULL;
    gsize length;
    if (!path)
        return FALSE;
    if (!g_file_get_contents(path, &content, &length, &local)) {
        g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_DATA, "%s: %s", path, local->message);
        return FALSE;
    }
    g_autofree char *base64 = g_base64_encode((const guchar *)content, length);
    g_string_append(page->body, "<li><img alt=\"Radiograph, ");
    dpcxr_markup_text(page->body, dpcxr_look_string(sample, "label"));
    g_string_append_printf(page->body, " %s\" src=\"data:image/png;base64,%s\">",
                           kind_text(dpcxr_look_string(sample, "kind")), base64);
    write_captions(page->body, sample);
    g_string_append(page->body, "</li>\n");
    return TRUE;
}

gboolean dpcxr_section_samples(DpcxrPage *page, const DpcxrRunFiles *run, GError **error)
{
    JsonArray *images = dpcxr_look_array(run->samples, "images");
    if (dpcxr_look_length(images) == 0)
        return TRUE;
    dpcxr_page_section(page, "samples", "Images");
    dpcxr_page_note(page, "These are records of patients. This section is why the report must stay private.");
    dpcxr_page_text(page, "Of each label those that the model is most sure of, rightly and wrongly, with the "
                          "score of the label. "
                          "They are extremes, not typical.");
    g_string_append(page->body, "<ul class=\"samples\">\n");
    for (guint i = 0; i < dpcxr_look_length(images); i++)
        if (!write_sample(page, run, dpcxr_look_item(images, i), error))
            return FALSE;
    g_string_append(page->body, "</ul>\n");
    return TRUE;
}
