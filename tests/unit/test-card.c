/* SPDX-License-Identifier: MIT
 * The privacy card: when there is none, what it claims, and what it must and must not say. */
#include "base/json.h"
#include "config/options.h"
#include "privacy/accounting.h"
#include "privacy/attack.h"
#include "privacy/card.h"
#include "privacy/card-content.h"
#include "privacy/composition.h"
#include "privacy/group.h"
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#define DELTA 1e-5
#define UNITS 1000
#define BIGGEST 77777 /* images of the largest unit: private */

typedef struct {
    char *folder, *ledger_path, *other_path;
    DpcxrExperiment experiment;
    DpcxrLedger *ledger;
    DpcxrCardFacts facts;
    GArray *rest;
    char *json_text, *markdown;
    JsonNode *json;
    double epsilon;
} Fixture;

static const DpcxrPluginEntry *rdp_entry(void)
{
    g_autoptr(GError) error = NULL;
    const DpcxrPluginEntry *entry = dpcxr_registry_find(DPCXR_PLUGIN_ACCOUNTANT, "rdp", &error);
    g_assert_no_error(error);
    return entry;
}

static DpcxrFeature rdp_feature(void)
{
    return (DpcxrFeature){(char *)"rdp", rdp_entry(),
                          dpcxr_options_parse(rdp_entry()->plugin->options, "", NULL)};
}

static void open_ledger(Fixture *f, const char *unit)
{
    g_autoptr(GError) error = NULL;
    dpcxr_ledger_free(f->ledger);
    g_unlink(f->ledger_path);
    f->ledger = dpcxr_ledger_create(f->ledger_path, DPCXR_ADJACENCY_ZERO_OUT, unit, UNITS, &error);
    g_assert_no_error(error);
    f->facts.ledger = f->ledger;
}

static DpcxrEvent steps_event(guint64 count)
{
    return (DpcxrEvent){DPCXR_SAMPLER_POISSON, 0.064, 1.5, count, UNITS, 0};
}

/* Planned steps that were not done, after those of open_ledger. */
static void plan_more(Fixture *f, const DpcxrEvent *events, guint n)
{
    g_array_set_size(f->rest, 0);
    g_array_append_vals(f->rest, events, n);
    f->facts.steps_planned = 100;
    for (guint i = 0; i < n; i++)
        f->facts.steps_planned += events[i].count;
}

static void record(DpcxrLedger *ledger, DpcxrLedgerKind kind, DpcxrEvent event)
{
    guint64 sequence;
    g_assert_true(dpcxr_ledger_append(ledger, kind, &event, &sequence, NULL));
}

static void setup(Fixture *f, gconstpointer data)
{
    f->folder = g_dir_make_tmp("dpcxr-card-XXXXXX", NULL);
    f->ledger_path = g_build_filename(f->folder, "ledger.jsonl", NULL);
    f->other_path = g_build_filename(f->folder, "other.jsonl", NULL);
    DpcxrExperiment *e = &f->experiment;
    e->name = (char *)"exp";
    e->data.dataset.type = (char *)"phantom";
    e->model.plugin.type = (char *)"resnet9";
    e->privacy.enabled = TRUE;
    e->privacy.unit = DPCXR_UNIT_PATIENT;
    e->privacy.images_per_patient = 4;
    e->privacy.adjacency = DPCXR_ADJACENCY_ZERO_OUT;
    e->privacy.sampler = DPCXR_SAMPLER_POISSON;
    e->privacy.clip_norm = 1.25;
    e->privacy.noise_multiplier = -1;
    e->privacy.delta = DELTA;
    e->privacy.accountant = rdp_feature();
    f->facts = (DpcxrCardFacts){.experiment = e,
                                .population = UNITS,
                                .max_unit_rows = BIGGEST,
                                .sampling_rate = 0.064,
                                .noise_multiplier = 1.5,
                                .clip_norm = 1.25,
                                .divisor = 64,
                                .rest = f->rest = g_array_new(FALSE, FALSE, sizeof(DpcxrEvent)),
                                .steps_planned = 100,
                                .steps_done = 90,
                                .steps_lost = 10,
                                .model_sha256 = "00ff"};
    open_ledger(f, "patient");
    record(f->ledger, DPCXR_LEDGER_STEPS, steps_event(100));
}

static void forget_card(Fixture *f)
{
    g_clear_pointer(&f->json, json_node_unref);
    g_clear_pointer(&f->json_text, g_free);
    g_clear_pointer(&f->markdown, g_free);
}

static void teardown(Fixture *f, gconstpointer data)
{
    forget_card(f);
    dpcxr_ledger_free(f->ledger);
    g_array_unref(f->rest);
    dpcxr_options_free(f->experiment.privacy.accountant.options);
    g_autoptr(GDir) dir = g_dir_open(f->folder, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *path = g_build_filename(f->folder, name, NULL);
        g_assert_cmpint(g_unlink(path), ==, 0);
    }
    g_assert_cmpint(g_rmdir(f->folder), ==, 0);
    g_free(f->folder);
    g_free(f->ledger_path);
    g_free(f->other_path);
}

static void write_card(Fixture *f)
{
    g_autoptr(GError) error = NULL;
    forget_card(f);
    gboolean written = dpcxr_card_write(f->folder, &f->facts, &f->epsilon, &error);
    g_assert_no_error(error);
    g_assert_true(written);
    g_autofree char *json_path = g_build_filename(f->folder, "privacy.json", NULL);
    g_autofree char *markdown_path = g_build_filename(f->folder, "privacy.md", NULL);
    gsize length;
    g_assert_true(g_file_get_contents(json_path, &f->json_text, &length, NULL));
    g_assert_true(g_file_get_contents(markdown_path, &f->markdown, NULL, NULL));
    f->json = dpcxr_json_parse(f->json_text, length, 8, &error);
    g_assert_no_error(error);
}

static void assert_no_card(Fixture *f, const char *says)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *json_path = g_build_filename(f->folder, "privacy.json", NULL);
    g_assert_false(dpcxr_card_write(f->folder, &f->facts, &f->epsilon, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
    if (!strstr(error->message, says))
        g_error("\"%s\" does not say \"%s\"", error->message, says);
    g_assert_false(g_file_test(json_path, G_FILE_TEST_EXISTS));
}

static JsonObject *object_of(const Fixture *f, const char *key)
{
    return json_object_get_object_member(json_node_get_object(f->json), key);
}

static void assert_says(const Fixture *f, const char *text)
{
    if (!strstr(f->markdown, text))
        g_error("the card does not say \"%s\":\n%s", text, f->markdown);
}

static double epsilon_of(const Fixture *f, DpcxrAdjacency adjacency, const DpcxrEvent *events, gsize n)
{
    DpcxrMechanism mechanism = {adjacency, events, n};
    DpcxrInterval epsilon;
    g_assert_true(dpcxr_account_claim(&f->experiment.privacy.accountant, &mechanism, DELTA, &epsilon, NULL));
    return epsilon.upper;
}

static void assert_void(const DpcxrExperiment *experiment, const char *says)
{
    g_autoptr(GPtrArray) voids = dpcxr_claim_voids(experiment);
    g_assert_cmpuint(voids->len, ==, 1);
    g_assert_nonnull(strstr(g_ptr_array_index(voids, 0), says));
}

static void test_voids(Fixture *f, gconstpointer data)
{
    DpcxrExperiment *e = &f->experiment;
    g_autoptr(GPtrArray) none = dpcxr_claim_voids(e);
    g_assert_cmpuint(none->len, ==, 0);
    e->privacy.enabled = FALSE;
    assert_void(e, "privacy.enabled");
    assert_no_card(f, "privacy.enabled");
    e->privacy.enabled = TRUE;
    e->privacy.noise_source = DPCXR_SOURCE_SEEDED;
    assert_void(e, "seeded");
    assert_no_card(f, "seeded");
    e->privacy.noise_source = DPCXR_SOURCE_OS;
    e->privacy.unsafe_no_noise = TRUE;
    e->privacy.noise_multiplier = 0;
    assert_void(e, "unsafe_no_noise");
    e->privacy.unsafe_no_noise = FALSE;
    e->privacy.noise_multiplier = 1.5;
    e->loss.pos_weight_type = DPCXR_POS_WEIGHT_EXACT;
    assert_void(e, "pos_weight");
    e->loss.pos_weight_type = DPCXR_POS_WEIGHT_PRIVATE_COUNTS;
    e->model.init = (char *)"weights.safetensors";
    assert_void(e, "init");
    e->privacy.noise_source = DPCXR_SOURCE_SEEDED;
    g_autoptr(GPtrArray) two = dpcxr_claim_voids(e);
    g_assert_cmpuint(two->len, ==, 2);
    e->privacy.noise_source = DPCXR_SOURCE_OS;
    e->model.init_public = TRUE;
    g_autoptr(GPtrArray) again = dpcxr_claim_voids(e);
    g_assert_cmpuint(again->len, ==, 0);
}

static void test_delta(Fixture *f, gconstpointer data)
{
    g_autoptr(GError) error = NULL;
    DpcxrExperiment *e = &f->experiment;
    e->privacy.delta = 1e-3;
    g_assert_true(dpcxr_claim_check(e, 999, &error));
    g_assert_false(dpcxr_claim_check(e, 1000, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
    g_assert_nonnull(strstr(error->message, "unsafe_delta"));
    assert_no_card(f, "1/N");
    e->privacy.unsafe_delta = TRUE;
    g_assert_true(dpcxr_claim_check(e, 1000, NULL));
    write_card(f);
    assert_says(f, "privacy.unsafe_delta");
    e->privacy.unsafe_delta = FALSE;
    e->privacy.delta = 1.23456321e-6; /* %g would print less, for which this epsilon does not hold */
    write_card(f);
    assert_says(f, "delta = 1.23456321e-06)-differential");
    assert_says(f, ", 1.23456321e-06 |");
    e->privacy.enabled = FALSE;
    g_assert_true(dpcxr_claim_check(e, 1000, NULL));
}

static void test_claim(Fixture *f, gconstpointer data)
{
    const DpcxrEvent events[] = {steps_event(100)};
    double expected = epsilon_of(f, DPCXR_ADJACENCY_ZERO_OUT, events, 1);
    write_card(f);
    JsonObject *claim = object_of(f, "claim"), *mechanism = object_of(f, "mechanism"),
               *steps = object_of(f, "steps");
    g_autofree char *printed = dpcxr_format_epsilon(expected, 2);
    g_autofree char *sentence =
        g_strdup_printf("(epsilon = %s, delta = 1e-05)-differential privacy for every patient", printed);
    g_assert_cmpfloat(f->epsilon, ==, expected);
    g_assert_cmpfloat(json_object_get_double_member(claim, "epsilon"), ==, expected);
    g_assert_cmpstr(json_object_get_string_member(claim, "epsilon_printed"), ==, printed);
    g_assert_cmpfloat(json_object_get_double_member(claim, "delta"), ==, DELTA);
    g_assert_cmpstr(json_object_get_string_member(claim, "unit"), ==, "patient");
    g_assert_cmpstr(json_object_get_string_member(claim, "adjacency"), ==, "zero_out");
    g_assert_cmpstr(json_object_get_string_member(claim, "accountant"), ==, "rdp");
    g_assert_cmpint(json_object_get_int_member(claim, "population"), ==, UNITS);
    g_assert_cmpstr(json_object_get_string_member(mechanism, "sampler"), ==, "poisson");
    g_assert_cmpfloat(json_object_get_double_member(mechanism, "sampling_rate"), ==, 0.064);
    g_assert_cmpfloat(json_object_get_double_member(mechanism, "noise_multiplier"), ==, 1.5);
    g_assert_cmpfloat(json_object_get_double_member(mechanism, "clip_norm"), ==, 1.25);
    g_assert_cmpstr(json_object_get_string_member(mechanism, "noise_source"), ==, "os");
    g_assert_cmpint(json_object_get_int_member(steps, "planned"), ==, 100);
    g_assert_cmpint(json_object_get_int_member(steps, "done"), ==, 90);
    g_assert_cmpint(json_object_get_int_member(steps, "lost"), ==, 10);
    g_assert_cmpint(json_object_get_int_member(steps, "process_starts"), ==, 1);
    assert_says(f, sentence);
    assert_says(f, "100 planned, 90 done, 10 lost");
    assert_says(f, "declared public");
    assert_says(f, "floating point");
    f->experiment.privacy.noise_type = DPCXR_NOISE_GRID;
    write_card(f);
    assert_says(f, "Noise is added to integers");
    f->experiment.privacy.noise_type = DPCXR_NOISE_GAUSSIAN;
    write_card(f);
    assert_says(f, "- model.safetensors: the weights\n");
    f->experiment.train.release_ema = TRUE;
    write_card(f);
    assert_says(f, "- model.safetensors: a moving average of the weights");
    f->experiment.train.release_ema = FALSE;
    write_card(f);
    assert_says(f, "SHA-256 of model.safetensors: 00ff");
    assert_says(f, dpcxr_ledger_head(f->ledger));
    assert_says(f, rdp_entry()->sha256);
}

/* Every touch of data that epsilon does not count has to be named. */
static void test_not_covered(Fixture *f, gconstpointer data)
{
    static const char *const touches[] = {"Validation and test records",
                                          "Hyper-parameters",
                                          "stratified splits",
                                          "N itself",
                                          "cannot be read",
                                          "not finite",
                                          "One patient id is one person"};
    write_card(f);
    for (gsize i = 0; i < G_N_ELEMENTS(touches); i++) {
        assert_says(f, touches[i]);
        g_assert_nonnull(strstr(f->json_text, touches[i]));
    }
}

/* How often the touch @what is listed with @status. */
static int touches_of(const Fixture *f, const char *what, const char *status)
{
    JsonArray *touches = json_object_get_array_member(json_node_get_object(f->json), "data_touches");
    int n = 0;
    for (guint i = 0; i < json_array_get_length(touches); i++) {
        JsonObject *touch = json_array_get_object_element(touches, i);
        n += g_str_equal(json_object_get_string_member(touch, "what"), what) &&
             g_str_equal(json_object_get_string_member(touch, "status"), status);
    }
    g_autofree char *row = g_strdup_printf("| %s | **%s** | ", what, status);
    g_assert_cmpint(n, ==, strstr(f->markdown, row) != NULL);
    return n;
}

/* What epsilon counts, what is declared, and what it does not count follow from the experiment. */
static void test_touches(Fixture *f, gconstpointer data)
{
    DpcxrExperiment *e = &f->experiment;
    write_card(f);
    g_assert_cmpint(touches_of(f, "Gradients of training images", "covered"), ==, 1);
    g_assert_cmpint(touches_of(f, "Number of steps", "covered"), ==, 1);
    g_assert_cmpint(touches_of(f, "N", "public"), ==, 1);
    g_assert_cmpint(touches_of(f, "Normalisation of images", "public"), ==, 1);
    g_assert_cmpint(touches_of(f, "Initial weights", "public"), ==, 1);
    g_assert_cmpint(touches_of(f, "Label weights", "public"), ==, 1);
    g_assert_cmpint(touches_of(f, "Label weights", "covered"), ==, 0);
    g_assert_cmpint(touches_of(f, "Average of the weights", "covered"), ==, 0);
    g_assert_cmpint(touches_of(f, "Clip norm", "covered"), ==, 0);
    g_assert_cmpint(touches_of(f, "Augmentation", "covered"), ==, 0);
    g_assert_cmpint(touches_of(f, "Patients", "not covered"), ==, 0);
    DpcxrFeature flip = {.type = (char *)"hflip"};
    e->data.augment = &flip;
    e->data.n_augment = 1;
    e->train.ema = 0.99;
    e->privacy.clip_type = DPCXR_CLIP_ADAPTIVE;
    e->loss.pos_weight_type = DPCXR_POS_WEIGHT_PRIVATE_COUNTS;
    record(f->ledger, DPCXR_LEDGER_COUNTS, (DpcxrEvent){DPCXR_SAMPLER_FULL, 1, 10, 1, UNITS, 0});
    write_card(f);
    g_assert_cmpint(touches_of(f, "Label weights", "covered"), ==, 1);
    g_assert_cmpint(touches_of(f, "Label weights", "public"), ==, 0);
    g_assert_cmpint(touches_of(f, "Average of the weights", "covered"), ==, 1);
    g_assert_cmpint(touches_of(f, "Clip norm", "covered"), ==, 1);
    g_assert_cmpint(touches_of(f, "Augmentation", "covered"), ==, 1);
}

/* Its first paragraph stands alone: every item of a complete claim. */
static void test_statement(Fixture *f, gconstpointer data)
{
    static const char *const items[] = {
        "differentially private stochastic gradient descent", "for every patient of the training data",
        "zero_out adjacency", "if one patient had contributed nothing", "Delta is below 1/N = 0.00100",
        "Each of 100 recorded steps", "N = 1000 patients", "drew every patient independently with probability 0.064 (Poisson sampling)",
        "at most 4 images of a drawn patient", "mean gradient of each patient to the norm 1.25 (flat clipping)",
        "Gaussian noise with noise multiplier 1.5", "divided it by the constant 64",
        "key of the operating system", "those that were lost and repeated included",
        "accountant `rdp` 1.", "(Mironov, Talwar", "For a single image it is epsilon = ", "at a false-positive rate of 0.1 %",
        "reconstruct one patient's data", "(Hayes et al. 2023", "the weights of the last step",
        "It does not extend to validation and test data"};
    write_card(f);
    const char *start = strstr(f->markdown, "The model was trained"), *end = strstr(start, "\n\n| | |");
    g_autofree char *paragraph = g_strndup(start, (gsize)(end - start));
    for (gsize i = 0; i < G_N_ELEMENTS(items); i++) {
        if (!strstr(paragraph, items[i]))
            g_error("the statement does not say \"%s\": %s", items[i], paragraph);
    }
    g_assert_null(strstr(paragraph, "\n"));
    static const char *const works[] = {"arXiv:1607.00133", "arXiv:2302.07225", "arXiv:1905.02383", "SP 800-226"};
    for (gsize i = 0; i < G_N_ELEMENTS(works); i++)
        assert_says(f, works[i]);
}

/* More points of the curve: the claim among them, none where publishing a unit would pass for private. */
static void test_curve(Fixture *f, gconstpointer data)
{
    const DpcxrEvent event = steps_event(100);
    const DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, &event, 1};
    f->experiment.privacy.delta = 3e-7;
    write_card(f);
    JsonArray *curve = json_object_get_array_member(json_node_get_object(f->json), "curve");
    double before = 1.0 / UNITS;
    gboolean claimed = FALSE;
    g_assert_cmpuint(json_array_get_length(curve), ==, 7);
    for (guint i = 0; i < json_array_get_length(curve); i++) {
        JsonObject *point = json_array_get_object_element(curve, i);
        double delta = json_object_get_double_member(point, "delta");
        DpcxrInterval epsilon;
        g_assert_true(dpcxr_account_epsilon(&f->experiment.privacy.accountant, &mechanism, delta, &epsilon, NULL));
        g_assert_cmpfloat(json_object_get_double_member(point, "epsilon"), ==, epsilon.upper);
        g_assert_cmpfloat(delta, <, before);
        claimed |= delta == 3e-7;
        before = delta;
    }
    g_assert_true(claimed);
    assert_says(f, "| 3e-07 | ");
}

/* By the limit theorem for Poisson samples, exactly without sampling. */
static void test_gdp(Fixture *f, gconstpointer data)
{
    write_card(f);
    JsonObject *gdp = object_of(f, "gdp");
    g_assert_true(json_object_get_boolean_member(gdp, "approximate"));
    g_assert_cmpfloat_with_epsilon(json_object_get_double_member(gdp, "mu"), 0.478771119241478, 1e-12);
    assert_says(f, "error of unknown sign");
    f->experiment.privacy.sampler = DPCXR_SAMPLER_FULL;
    open_ledger(f, "patient");
    record(f->ledger, DPCXR_LEDGER_STEPS, (DpcxrEvent){DPCXR_SAMPLER_FULL, 1, 20, 100, UNITS, 0});
    write_card(f);
    gdp = object_of(f, "gdp");
    g_assert_false(json_object_get_boolean_member(gdp, "approximate"));
    g_assert_cmpfloat_with_epsilon(json_object_get_double_member(gdp, "mu"), 0.5, 1e-12);
    assert_says(f, "Exactly: 0.500-Gaussian");
}

/* The curve's bounds and, where they are smaller, the sampled ones; never below what was likely anyway. */
static void test_reconstruction(Fixture *f, gconstpointer data)
{
    write_card(f);
    JsonObject *reconstruction = object_of(f, "reconstruction");
    JsonArray *bounds = json_object_get_array_member(reconstruction, "bounds"),
              *rates = json_object_get_array_member(object_of(f, "attack"), "true_positive_rate");
    g_assert_cmpint(json_object_get_int_member(reconstruction, "samples"), ==, DPCXR_CARD_SAMPLE_BUDGET / 101);
    g_assert_cmpfloat(json_object_get_double_member(reconstruction, "confidence"), ==, 0.999);
    for (guint i = 0; i < DPCXR_ATTACK_RATES; i++) {
        JsonObject *bound = json_array_get_object_element(bounds, i);
        double prior = json_object_get_double_member(bound, "prior");
        double curve = json_object_get_double_member(bound, "by_curve");
        double samples = json_object_get_double_member(bound, "by_samples");
        g_assert_cmpfloat(prior, ==, dpcxr_attack_false_positive_rate((int)i));
        g_assert_cmpfloat(
            curve, ==, json_object_get_double_member(json_array_get_object_element(rates, i), "at_most"));
        g_assert_cmpfloat(samples, >, prior);
        g_assert_cmpfloat(json_object_get_double_member(bound, "at_most"), ==, MIN(curve, samples));
    }
    assert_says(f, "24752 draws of the privacy loss");

    open_ledger(f, "patient"); /* too many steps to draw */
    record(f->ledger, DPCXR_LEDGER_STEPS, (DpcxrEvent){DPCXR_SAMPLER_POISSON, 0.064, 20, 1000, UNITS, 0});
    write_card(f);
    reconstruction = object_of(f, "reconstruction");
    g_assert_cmpint(json_object_get_int_member(reconstruction, "samples"), ==, 0);
    g_assert_true(json_object_get_null_member(reconstruction, "confidence"));
    assert_says(f, "No Monte-Carlo limit was made: so many steps");
}

/* An accountant that is there and not asked for is reported all the same: a reader will compare. */
static void test_all_accountants(Fixture *f, gconstpointer data)
{
    write_card(f);
    assert_says(f, "- gdp: epsilon ");
    assert_says(f, "accountant gdp 1.0, SHA-256 ");
    g_assert_null(strstr(f->markdown, "- rdp: "));
}

/* Publishable: nothing of the records, no path of this machine. */
static void test_no_secrets(Fixture *f, gconstpointer data)
{
    f->experiment.model.init = (char *)"/some/where/weights.safetensors";
    f->experiment.model.init_public = TRUE;
    write_card(f);
    assert_says(f, "initial weights are declared public");
    const char *const texts[] = {f->json_text, f->markdown};
    for (gsize i = 0; i < 2; i++) {
        g_assert_null(strstr(texts[i], G_STRINGIFY(BIGGEST)));
        g_assert_null(strstr(texts[i], f->folder));
        g_assert_null(strstr(texts[i], "/some/where"));
        g_assert_null(strstr(texts[i], rdp_entry()->file));
    }
}

static void test_image_level(Fixture *f, gconstpointer data)
{
    write_card(f);
    JsonObject *other = object_of(f, "other_level");
    g_assert_cmpstr(json_object_get_string_member(other, "level"), ==, "image");
    /* two neighbours away, at the best point of the curve: it holds, and a smaller one would not */
    DpcxrEvent steps = steps_event(100);
    DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, &steps, 1};
    double half = json_object_get_double_member(other, "epsilon") / 2;
    DpcxrInterval at, before;
    g_assert_true(dpcxr_account_delta(&f->experiment.privacy.accountant, &mechanism, half, &at, NULL));
    g_assert_true(dpcxr_account_delta(&f->experiment.privacy.accountant, &mechanism, half * 0.999, &before, NULL));
    g_assert_cmpfloat(at.upper * (1 + exp(half)), <=, DELTA);
    g_assert_cmpfloat(before.upper * (1 + exp(half * 0.999)), >, DELTA);
    g_assert_cmpfloat(json_object_get_double_member(other, "delta"), ==, DELTA);
    assert_says(f, "| image level | epsilon ");

    /* the accountant covers replace_one where nothing is sampled */
    f->experiment.privacy.sampler = DPCXR_SAMPLER_FULL;
    DpcxrEvent full = {DPCXR_SAMPLER_FULL, 1, 20, 100, UNITS, 0};
    open_ledger(f, "patient");
    record(f->ledger, DPCXR_LEDGER_STEPS, full);
    write_card(f);
    other = object_of(f, "other_level");
    g_assert_cmpfloat(json_object_get_double_member(other, "epsilon"), ==,
                      epsilon_of(f, DPCXR_ADJACENCY_REPLACE_ONE, &full, 1));
    g_assert_cmpfloat(json_object_get_double_member(other, "delta"), ==, DELTA);
}

/* What the card says of each sampler, and the epsilon of its events. */
static void test_samplers(Fixture *f, gconstpointer data)
{
    static const struct {
        DpcxrEvent event;
        const char *says, *json;
    } cases[] = {{{DPCXR_SAMPLER_TRUNCATED_POISSON, 0.064, 1.5, 100, UNITS, 90},
                  "drew every patient independently with probability 0.064 and, of more than 90, kept so many at random",
                  "\"cap\" : 90"},
                 {{DPCXR_SAMPLER_FIXED, 0.064, 3, 100, UNITS, 64}, "drew 64 of the 1000 patients without replacement",
                  "\"cap\" : 64"},
                 {{DPCXR_SAMPLER_SHUFFLE, 0.064, 3, 112, UNITS, 64},
                  "took the next 64 patients of a secret random order, a new one for every epoch of 16 steps",
                  "\"epoch_steps\" : 16"}};
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        f->experiment.privacy.sampler = cases[i].event.sampler;
        f->facts.noise_multiplier = cases[i].event.noise_multiplier;
        f->facts.cap = cases[i].event.cap;
        f->facts.record_steps = cases[i].event.sampler == DPCXR_SAMPLER_SHUFFLE ? 16 : 1;
        open_ledger(f, "patient");
        record(f->ledger, DPCXR_LEDGER_STEPS, cases[i].event);
        write_card(f);
        assert_says(f, cases[i].says);
        g_assert_nonnull(strstr(f->json_text, cases[i].json));
        g_assert_cmpfloat(f->epsilon, ==, epsilon_of(f, DPCXR_ADJACENCY_ZERO_OUT, &cases[i].event, 1));
    }
    /* Stopped by a person in its second of seven epochs: the other five are claimed, the last one whole. */
    DpcxrEvent done = cases[2].event, planned = done, rest = done;
    done.count = 32;
    rest.count = 80;
    open_ledger(f, "patient");
    record(f->ledger, DPCXR_LEDGER_STEPS, done);
    f->facts.steps_done = 20;
    f->facts.steps_lost = 0;
    g_array_append_val(f->rest, rest);
    write_card(f);
    g_assert_cmpfloat(f->epsilon, ==, epsilon_of(f, DPCXR_ADJACENCY_ZERO_OUT, &planned, 1));
}

static void test_unit_image(Fixture *f, gconstpointer data)
{
    f->experiment.privacy.unit = DPCXR_UNIT_IMAGE;
    assert_no_card(f, "unit");
    open_ledger(f, "image");
    record(f->ledger, DPCXR_LEDGER_STEPS, steps_event(100));
    write_card(f);
    assert_says(f, "differential privacy for every image");
    assert_says(f, "| patient level | none (no cap) |");
    assert_says(f, "Several images of one person are several units");
    g_assert_null(strstr(f->markdown, "One patient id"));
    JsonObject *other = object_of(f, "other_level");
    g_assert_cmpstr(json_object_get_string_member(other, "level"), ==, "patient");
    g_assert_true(json_object_get_null_member(other, "epsilon"));
}

static void test_disagreement(Fixture *f, gconstpointer data)
{
    f->facts.population = UNITS + 1;
    assert_no_card(f, "number of units");
    f->facts.population = UNITS;
    f->facts.steps_lost = 11;
    assert_no_card(f, "fewer steps");
    f->facts.steps_lost = 10;
    f->experiment.privacy.adjacency = DPCXR_ADJACENCY_ADD_REMOVE;
    assert_no_card(f, "adjacency");
}

static void assert_recounted(const Fixture *f);

/* Who stopped the run may have seen its curves: the claim is for all steps that were planned and fit the
 * target. */
static void test_stopped_early(Fixture *f, gconstpointer data)
{
    const DpcxrEvent planned = steps_event(150), target = steps_event(120), rest = steps_event(50);
    plan_more(f, &rest, 1);
    write_card(f);
    g_assert_cmpfloat_with_epsilon(f->epsilon, epsilon_of(f, DPCXR_ADJACENCY_ZERO_OUT, &planned, 1), 1e-9);
    assert_says(f, "ended early");
    f->experiment.privacy.epsilon = epsilon_of(f, DPCXR_ADJACENCY_ZERO_OUT, &target, 1) + 1e-9;
    write_card(f);
    g_assert_cmpfloat(f->epsilon, <=, f->experiment.privacy.epsilon);
    g_assert_cmpfloat_with_epsilon(f->epsilon, f->experiment.privacy.epsilon, 1e-6);
}

/* A stopped run with a noise schedule claims the steps to come with the noise that they would have had, first ones first. */
static void test_stopped_schedule(Fixture *f, gconstpointer data)
{
    DpcxrEvent events[] = {steps_event(100), steps_event(30), steps_event(20)};
    events[1].noise_multiplier = 1.2;
    events[2].noise_multiplier = 0.9;
    f->experiment.privacy.noise_schedule = (DpcxrRamp){DPCXR_RAMP_LINEAR, 1, 0.6, 0};
    f->experiment.privacy.noise_levels = 3;
    plan_more(f, events + 1, 2);
    write_card(f);
    g_assert_cmpfloat_with_epsilon(f->epsilon, epsilon_of(f, DPCXR_ADJACENCY_ZERO_OUT, events, 3), 1e-9);
    assert_says(f, "noise multiplier 1.5 to 0.9 on a linear schedule of at most 3 levels");
    assert_says(f, "every step is on the ledger with its own");
    JsonObject *mechanism = object_of(f, "mechanism");
    g_assert_true(json_object_get_null_member(mechanism, "noise_multiplier"));
    JsonObject *schedule = json_object_get_object_member(mechanism, "noise_schedule");
    g_assert_cmpfloat(json_object_get_double_member(schedule, "last"), ==, 0.6 * 1.5);
    assert_recounted(f);

    events[2].count = 7;
    f->experiment.privacy.epsilon = epsilon_of(f, DPCXR_ADJACENCY_ZERO_OUT, events, 3) + 1e-9;
    write_card(f);
    g_assert_cmpint(json_object_get_int_member(object_of(f, "steps"), "claimed"), ==, 137);
    g_assert_cmpfloat(f->epsilon, <=, f->experiment.privacy.epsilon);
    assert_recounted(f);
}

/* What costs nothing is said to. */
static void test_free_of_cost(Fixture *f, gconstpointer data)
{
    const DpcxrEvent events[] = {steps_event(100)};
    f->experiment.privacy.clip_schedule = (DpcxrRamp){DPCXR_RAMP_COSINE, 2, 0.5, 0};
    f->experiment.train.augment_multiplicity = 8;
    f->experiment.train.ema = 0.999;
    write_card(f);
    g_assert_cmpfloat(f->epsilon, ==, epsilon_of(f, DPCXR_ADJACENCY_ZERO_OUT, events, 1));
    assert_says(f, "to the norm 2.5 to 0.625 on a cosine schedule (flat clipping)");
    assert_says(f, "| clipping | flat, norm 2.5 to 0.625 on a cosine schedule |");
    assert_says(f, "the norm changes no event and no epsilon");
    assert_says(f, "in 8 augmented views, whose gradients were averaged within its patient before clipping");
    assert_says(f, "A moving average of the weights (decay 0.999) was kept.");
}

/* What dpcxr account finds in a run folder is what its card claims. */
static void assert_recounted(const Fixture *f)
{
    g_autoptr(GError) error = NULL;
    const char *const paths[] = {f->folder, NULL};
    g_autoptr(DpcxrComposition) composition = dpcxr_composition_read(paths, &error);
    g_assert_no_error(error);
    g_assert_cmpfloat(composition->delta, ==, DELTA);
    g_assert_cmpfloat_with_epsilon(epsilon_of(f, composition->mechanism.adjacency,
                                              composition->mechanism.events, composition->mechanism.n_events),
                                   f->epsilon, 1e-9);
}

static void test_recounted(Fixture *f, gconstpointer data)
{
    write_card(f);
    assert_recounted(f);
    const DpcxrEvent rest = steps_event(50);
    plan_more(f, &rest, 1);
    write_card(f);
    assert_recounted(f);
    g_assert_cmpint(json_object_get_int_member(object_of(f, "steps"), "claimed"), ==, 150);
}

/* By the claiming accountant, rounded up where it is read by people. */
static void test_attack(Fixture *f, gconstpointer data)
{
    const DpcxrEvent event = steps_event(100);
    const DpcxrMechanism mechanism = {DPCXR_ADJACENCY_ZERO_OUT, &event, 1};
    DpcxrAttackBounds bounds;
    g_assert_true(dpcxr_attack_bounds(&f->experiment.privacy.accountant, &mechanism, &bounds, NULL));
    write_card(f);
    JsonObject *attack = object_of(f, "attack");
    JsonArray *rates = json_object_get_array_member(attack, "true_positive_rate");
    g_assert_cmpstr(json_object_get_string_member(attack, "accountant"), ==, "rdp");
    g_assert_cmpfloat(json_object_get_double_member(attack, "advantage"), ==, bounds.advantage);
    g_assert_cmpuint(json_array_get_length(rates), ==, 3);
    for (guint i = 0; i < 3; i++) {
        JsonObject *rate = json_array_get_object_element(rates, i);
        g_assert_cmpfloat(json_object_get_double_member(rate, "at_most"), ==, bounds.true_positive_rate[i]);
        g_autofree char *row = g_strdup_printf("| %g %% | ", 100 * dpcxr_attack_false_positive_rate((int)i));
        const char *printed = strstr(f->markdown, row);
        g_assert_nonnull(printed);
        g_assert_cmpfloat(g_ascii_strtod(printed + strlen(row), NULL), >=,
                          100 * bounds.true_positive_rate[i]);
    }
    assert_says(f, "privacy curve of the accountant `rdp`");
}

static void test_counts(Fixture *f, gconstpointer data)
{
    const DpcxrEvent counts = {DPCXR_SAMPLER_FULL, 1, 10, 1, UNITS, 0}, events[] = {steps_event(100), counts};
    f->experiment.loss.pos_weight_type = DPCXR_POS_WEIGHT_PRIVATE_COUNTS;
    assert_no_card(f, "no event for the counts");
    record(f->ledger, DPCXR_LEDGER_COUNTS, counts);
    write_card(f);
    g_assert_cmpfloat(f->epsilon, ==, epsilon_of(f, DPCXR_ADJACENCY_ZERO_OUT, events, 2));
    g_assert_cmpfloat(f->epsilon, >, epsilon_of(f, DPCXR_ADJACENCY_ZERO_OUT, events, 1));
    assert_says(f, "label counts with noise");
}

static void test_initial_ledger(Fixture *f, gconstpointer data)
{
    const DpcxrEvent both[] = {steps_event(100), {DPCXR_SAMPLER_FULL, 1, 30, 40, UNITS, 0}};
    DpcxrLedger *initial = dpcxr_ledger_create(f->other_path, DPCXR_ADJACENCY_ZERO_OUT, "patient", 7, NULL);
    record(initial, DPCXR_LEDGER_STEPS, both[1]);
    dpcxr_ledger_free(initial);
    f->experiment.model.init = (char *)"weights.safetensors";
    f->experiment.model.init_ledger = f->other_path;
    write_card(f);
    g_assert_cmpfloat(f->epsilon, ==, epsilon_of(f, DPCXR_ADJACENCY_ZERO_OUT, both, 2));
    assert_says(f, "initial weights were trained privately");
    g_autoptr(DpcxrLedger) made = dpcxr_ledger_read(f->other_path, NULL);
    g_assert_nonnull(strstr(f->json_text, dpcxr_ledger_head(made)));

    g_assert_cmpint(g_unlink(f->other_path), ==, 0);
    initial = dpcxr_ledger_create(f->other_path, DPCXR_ADJACENCY_ZERO_OUT, "image", 7, NULL);
    dpcxr_ledger_free(initial);
    g_autoptr(GError) error = NULL;
    g_assert_false(dpcxr_card_write(f->folder, &f->facts, &f->epsilon, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
}

static gboolean covers_nothing(const DpcxrOptions *options, const DpcxrMechanism *mechanism, GError **error)
{
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY, "shy: not today");
    return FALSE;
}

static gboolean covers_all(const DpcxrOptions *options, const DpcxrMechanism *mechanism, GError **error)
{
    return TRUE;
}

static gboolean guess(const DpcxrOptions *options, const DpcxrMechanism *mechanism, double given,
                      DpcxrInterval *interval, GError **error)
{
    *interval = (DpcxrInterval){-INFINITY, 1.5, INFINITY};
    return TRUE;
}

static gboolean rave(const DpcxrOptions *values, const DpcxrMechanism *mechanism, double delta, DpcxrInterval *epsilon,
                     GError **error)
{
    *epsilon = (DpcxrInterval){-1, -1, -1};
    return TRUE;
}

static gboolean three(const DpcxrOptions *options, const DpcxrMechanism *mechanism, double given,
                      DpcxrInterval *interval, GError **error)
{
    *interval = (DpcxrInterval){-INFINITY, 3, 3};
    return TRUE;
}

static gboolean nothing(const DpcxrOptions *options, const DpcxrMechanism *mechanism, double given,
                        DpcxrInterval *interval, GError **error)
{
    *interval = (DpcxrInterval){-INFINITY, 1, 1};
    return TRUE;
}

static gboolean covers_zero_out(const DpcxrOptions *options, const DpcxrMechanism *mechanism, GError **error)
{
    if (mechanism->adjacency == DPCXR_ADJACENCY_ZERO_OUT)
        return TRUE;
    g_set_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY, "curt: zero_out only");
    return FALSE;
}

static gboolean two_at_once(const DpcxrOptions *options, const DpcxrMechanism *mechanism, guint64 units, double delta,
                            DpcxrInterval *epsilon, GError **error)
{
    *epsilon = (DpcxrInterval){4, 4, 4};
    return TRUE;
}

/* Where the curve has nothing to say about two neighbours, neither has the card: a number for two units that are null at
 * once is not one for a unit whose data is exchanged. */
static void test_no_image_level(Fixture *f, gconstpointer data)
{
    static const DpcxrAccountant curt = {.covers = covers_zero_out, .epsilon = three, .delta = nothing,
                                         .group_epsilon = two_at_once, .units_max = 2};
    const DpcxrPlugin plugin = {.kind = DPCXR_PLUGIN_ACCOUNTANT, .feature = &curt, .version = "7"};
    const DpcxrPluginEntry entry = {.kind = DPCXR_PLUGIN_ACCOUNTANT, .plugin = &plugin, .sha256 = (char *)"aa"};
    f->experiment.privacy.accountant.entry = &entry;
    write_card(f);
    g_assert_true(json_object_get_null_member(object_of(f, "other_level"), "epsilon"));
    assert_says(f, "| image level | none (the group bound");
    g_assert_null(strstr(f->markdown, "For a single image"));
    JsonArray *bounds = json_object_get_array_member(object_of(f, "reconstruction"), "bounds");
    JsonObject *bound = json_array_get_object_element(bounds, 2); /* sampled ones do not need the curve */
    g_assert_cmpfloat(json_object_get_double_member(bound, "by_curve"), ==, 1);
    g_assert_cmpfloat(json_object_get_double_member(bound, "at_most"), <, 0.5);
}

static void test_also_report(Fixture *f, gconstpointer data)
{
    static const DpcxrAccountant shy = {.covers = covers_nothing},
                                 bold = {.covers = covers_all, .epsilon = guess, .approximate = TRUE},
                                 mad = {.covers = covers_all, .epsilon = rave};
    const DpcxrPlugin plugins[] = {{.kind = DPCXR_PLUGIN_ACCOUNTANT, .feature = &shy, .version = "1"},
                                   {.kind = DPCXR_PLUGIN_ACCOUNTANT, .feature = &bold, .version = "2"},
                                   {.kind = DPCXR_PLUGIN_ACCOUNTANT, .feature = &mad, .version = "3"}};
    const DpcxrPluginEntry entries[] = {
        {.kind = DPCXR_PLUGIN_ACCOUNTANT, .plugin = &plugins[0], .sha256 = (char *)"aa"},
        {.kind = DPCXR_PLUGIN_ACCOUNTANT, .plugin = &plugins[1], .sha256 = (char *)"bb"}};
    const DpcxrPluginEntry broken = {
        .kind = DPCXR_PLUGIN_ACCOUNTANT, .plugin = &plugins[2], .sha256 = (char *)"cc", .file = (char *)"/home/me/x.so"};
    DpcxrFeature features[] = {{(char *)"shy", &entries[0], NULL},
                               {(char *)"bold", &entries[1], NULL},
                               {(char *)"mad", &broken, NULL}};
    f->experiment.privacy.also_report = features;
    f->experiment.privacy.n_also_report = 3;
    write_card(f);
    assert_says(f, "- mad: no number (the accountant failed)");
    g_assert_null(strstr(f->markdown, "/home/me"));
    g_assert_null(strstr(f->json_text, "/home/me"));
    assert_says(f, "- shy: no number (shy: not today)");
    assert_says(f, "- bold: epsilon 1.50 (an approximation, not a bound)");
    assert_says(f, "accountant bold 2, SHA-256 bb");
    JsonArray *reports = json_object_get_array_member(json_node_get_object(f->json), "also_report");
    JsonObject *report = json_array_get_object_element(reports, 1);
    g_assert_cmpfloat(json_object_get_double_member(report, "epsilon"), ==, 1.5);
    g_assert_true(json_object_get_null_member(report, "upper"));

    f->experiment.privacy.accountant.entry = &entries[1]; /* and it makes no claim */
    g_autoptr(GError) error = NULL;
    g_assert_false(dpcxr_card_write(f->folder, &f->facts, &f->epsilon, &error));
    g_assert_error(error, DPCXR_ERROR, DPCXR_ERROR_PRIVACY);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_autofree char *plugin =
        g_build_filename(g_getenv("DPCXR_BUILD"), "plugins", "dpcxr-accountant-rdp.so", NULL);
    g_assert_true(dpcxr_registry_add(plugin, NULL));
    g_autofree char *gdp = g_build_filename(g_getenv("DPCXR_BUILD"), "plugins", "dpcxr-accountant-gdp.so", NULL);
    g_assert_true(dpcxr_registry_add(gdp, NULL));
    g_test_add("/card/voids", Fixture, NULL, setup, test_voids, teardown);
    g_test_add("/card/delta", Fixture, NULL, setup, test_delta, teardown);
    g_test_add("/card/claim", Fixture, NULL, setup, test_claim, teardown);
    g_test_add("/card/not-covered", Fixture, NULL, setup, test_not_covered, teardown);
    g_test_add("/card/touches", Fixture, NULL, setup, test_touches, teardown);
    g_test_add("/card/statement", Fixture, NULL, setup, test_statement, teardown);
    g_test_add("/card/curve", Fixture, NULL, setup, test_curve, teardown);
    g_test_add("/card/gdp", Fixture, NULL, setup, test_gdp, teardown);
    g_test_add("/card/reconstruction", Fixture, NULL, setup, test_reconstruction, teardown);
    g_test_add("/card/all-accountants", Fixture, NULL, setup, test_all_accountants, teardown);
    g_test_add("/card/no-secrets", Fixture, NULL, setup, test_no_secrets, teardown);
    g_test_add("/card/image-level", Fixture, NULL, setup, test_image_level, teardown);
    g_test_add("/card/no-image-level", Fixture, NULL, setup, test_no_image_level, teardown);
    g_test_add("/card/unit-image", Fixture, NULL, setup, test_unit_image, teardown);
    g_test_add("/card/samplers", Fixture, NULL, setup, test_samplers, teardown);
    g_test_add("/card/disagreement", Fixture, NULL, setup, test_disagreement, teardown);
    g_test_add("/card/stopped-early", Fixture, NULL, setup, test_stopped_early, teardown);
    g_test_add("/card/stopped-schedule", Fixture, NULL, setup, test_stopped_schedule, teardown);
    g_test_add("/card/free-of-cost", Fixture, NULL, setup, test_free_of_cost, teardown);
    g_test_add("/card/recounted", Fixture, NULL, setup, test_recounted, teardown);
    g_test_add("/card/attack", Fixture, NULL, setup, test_attack, teardown);
    g_test_add("/card/counts", Fixture, NULL, setup, test_counts, teardown);
    g_test_add("/card/initial-ledger", Fixture, NULL, setup, test_initial_ledger, teardown);
    g_test_add("/card/also-report", Fixture, NULL, setup, test_also_report, teardown);
    return g_test_run();
}
