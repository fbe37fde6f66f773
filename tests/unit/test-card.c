/* SPDX-License-Identifier: MIT
 * The privacy card: when there is none, what it claims, and what it must and must not say. */
#include "base/json.h"
#include "config/options.h"
#include "privacy/accounting.h"
#include "privacy/attack.h"
#include "privacy/card.h"
#include "privacy/composition.h"
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
    g_assert_cmpfloat(json_object_get_double_member(other, "epsilon"), ==, 2 * f->epsilon);
    g_assert_cmpfloat(json_object_get_double_member(other, "delta"), ==, (1 + exp(f->epsilon)) * DELTA);
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

    /* at a large epsilon the bound says nothing, and so does the card */
    f->experiment.privacy.sampler = DPCXR_SAMPLER_POISSON;
    open_ledger(f, "patient");
    DpcxrEvent loud = steps_event(100);
    loud.noise_multiplier = 0.3;
    record(f->ledger, DPCXR_LEDGER_STEPS, loud);
    write_card(f);
    other = object_of(f, "other_level");
    g_assert_true(json_object_get_null_member(other, "epsilon"));
    assert_says(f, "| image level | none (the group bound");
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
    assert_says(f, "several images of one person are several units");
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
    g_test_add("/card/voids", Fixture, NULL, setup, test_voids, teardown);
    g_test_add("/card/delta", Fixture, NULL, setup, test_delta, teardown);
    g_test_add("/card/claim", Fixture, NULL, setup, test_claim, teardown);
    g_test_add("/card/not-covered", Fixture, NULL, setup, test_not_covered, teardown);
    g_test_add("/card/no-secrets", Fixture, NULL, setup, test_no_secrets, teardown);
    g_test_add("/card/image-level", Fixture, NULL, setup, test_image_level, teardown);
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
