/* SPDX-License-Identifier: MIT
 * Tables only. Choices stand in the order of the enums in experiment.h and dpcxr/accountant.h. */
#include "config/sections.h"
#include <float.h>

#define POSITIVE .min = DBL_MIN, .max = DBL_MAX
#define COUNT .min = 1, .max = 1e9
#define TYPE(fallback_type, what)                                                                            \
    {                                                                                                        \
        "type", DPCXR_OPTION_STRING, fallback_type, .summary = what                                          \
    }
#define END                                                                                                  \
    {                                                                                                        \
        0                                                                                                    \
    }

static const DpcxrOptionSpec top[] = {
    {"include", DPCXR_OPTION_STRINGS, "[]", .summary = "Files merged before this one, relative to it."},
    {"name", DPCXR_OPTION_STRING, .summary = "Name of the run folder, runs/NAME."},
    {"plugins", DPCXR_OPTION_STRINGS, "[]", .summary = "Further plugin files, or folders of them."},
    {"stages", DPCXR_OPTION_STRINGS, "[train, evaluate, report]", .choices = "train|evaluate|report",
     .summary = "What a run does."},
    {"seed", DPCXR_OPTION_INT, "1", .max = DBL_MAX,
     .summary =
         "Of initial weights, augmentation and the order of non-private runs; never of privacy noise."},
    END};

static const DpcxrOptionSpec device[] = {
    {"type", DPCXR_OPTION_CHOICE, "auto", .choices = "auto|cpu|vulkan|ref",
     .summary = "The backend that computes; auto: vulkan where there is a GPU for it, else cpu."},
    {"name", DPCXR_OPTION_STRING, "null",
     .summary = "Vulkan device: index, UUID, or part of its name; null: the best one."},
    {"precision", DPCXR_OPTION_CHOICE, "fp32", .choices = "fp32|bf16|fp16",
     .summary = "Of feature maps and their gradients; bf16: cpu, fp16: vulkan."},
    {"threads", DPCXR_OPTION_INT, "0", .max = 4096, .summary = "Worker threads; 0 takes all cores."},
    END};

static const DpcxrOptionSpec data[] = {
    TYPE(NULL, "A dataset plugin, as in `dpcxr plugins dataset`."),
    {"labels", DPCXR_OPTION_STRINGS,
     "[cardiomegaly, congestion, pleural_effusion_right, pleural_effusion_left, pneumonic_infiltrates_right, "
     "pneumonic_infiltrates_left, atelectasis_right, atelectasis_left]",
     .summary = "Findings to learn, in the order of the outputs."},
    {"uncertain", DPCXR_OPTION_CHOICE, "ignore", .choices = "ignore|ones|zeros|smooth",
     .summary = "What an uncertain label counts as."},
    {"missing", DPCXR_OPTION_CHOICE, "ignore", .choices = "ignore|zeros",
     .summary = "What a missing label counts as."},
    END};

static const DpcxrOptionSpec group[] = {
    {"column", DPCXR_OPTION_STRING, "null",
     .summary = "Column of the data set; the name of the group if not given."},
    {"bins", DPCXR_OPTION_NUMBERS, "null", .min = -DBL_MAX, .max = DBL_MAX,
     .summary = "Increasing edges; without them each value of the column is a group."},
    END};

static const DpcxrOptionSpec image[] = {
    {"size", DPCXR_OPTION_INT, "224", .min = 8, .max = 4096, .unit = "pixels",
     .summary = "Height and width."},
    {"channels", DPCXR_OPTION_CHOICE, "1", .choices = "1|3",
     .summary = "1, or 3 equal ones for pretrained weights."},
    {"normalise", DPCXR_OPTION_CHOICE, "unit", .choices = "unit|imagenet|xrv",
     .summary = "Range of the input: [0, 1], ImageNet's mean and deviation, or [-1024, 1024]."},
    END};

static const DpcxrOptionSpec cache[] = {
    {"dir", DPCXR_OPTION_PATH, "null", .summary = "Folder for decoded, resized images; null keeps them in memory."},
    {"workers", DPCXR_OPTION_INT, "auto", .min = 1, .max = 1024, .choices = "auto",
     .summary = "Decoding threads."},
    END};

static const DpcxrOptionSpec model[] = {
    TYPE("resnet9", "A model plugin, as in `dpcxr plugins model`."),
    {"init", DPCXR_OPTION_PATH, "null", .summary = "A .safetensors file to start from."},
    {"init_data", DPCXR_OPTION_STRING, "public",
     .summary = "What `init` was made from: public, private (voids the claim), or `ledger PATH` of the run "
                "that made it."},
    END};

static const DpcxrOptionSpec loss[] = {{"type", DPCXR_OPTION_CHOICE, "bce", .choices = "bce",
                                        .summary = "Binary cross-entropy, mean over known labels."},
                                       END};

static const DpcxrOptionSpec pos_weight[] = {
    {"type", DPCXR_OPTION_CHOICE, "none", .choices = "none|public|private_counts|exact",
     .summary =
         "Weights of positives: none, given, from noisy counts, or from exact counts (voids the claim)."},
    {"weights", DPCXR_OPTION_NUMBERS, "null", POSITIVE, .summary = "One for each label (public)."},
    {"noise_multiplier", DPCXR_OPTION_NUMBER, "null", POSITIVE, .summary = "Of the counts (private_counts)."},
    END};

static const DpcxrOptionSpec optimizer[] = {TYPE("nadam", "sgd, adam, adamw or nadam."), END};
static const DpcxrOptionSpec schedule[] = {TYPE("constant", "How the learning rate changes."), END};

static const DpcxrOptionSpec train[] = {{"epochs", DPCXR_OPTION_NUMBER, "30", .min = DBL_MIN, .max = 1e6,
                                         .summary = "Passes over the training units, on average."},
                                        {"steps", DPCXR_OPTION_INT, "null", COUNT,
                                         .summary = "Optimizer steps; where given, epochs does not count."},
                                        {"ema", DPCXR_OPTION_NUMBER, "null", .min = DBL_MIN, .max = 0.9999999,
                                         .summary = "Decay of an average of the weights."},
                                        {"augment_multiplicity", DPCXR_OPTION_INT, "1", .min = 1, .max = 1024,
                                         .summary = "Augmented views of each drawn image; their gradients are averaged "
                                                    "within the unit, before clipping (De et al. 2022)."},
                                        {"release", DPCXR_OPTION_CHOICE, "last", .choices = "last|ema",
                                         .summary = "Which weights are the result: the last, or their average (train.ema)."},
                                        END};

static const DpcxrOptionSpec batch[] = {
    {"logical", DPCXR_OPTION_INT, "128", .min = 1, .max = 1 << 24, .unit = "units",
     .summary = "Expected in a step."},
    {"physical", DPCXR_OPTION_INT, "auto", .min = 1, .max = 1 << 20, .unit = "images", .choices = "auto",
     .summary = "Computed at once; changes speed and memory, not results."},
    END};

static const DpcxrOptionSpec checkpoint[] = {
    {"every_minutes", DPCXR_OPTION_NUMBER, "10", .max = 1e6, .unit = "minutes",
     .summary = "Time between checkpoints."},
    {"keep", DPCXR_OPTION_INT, "2", .min = 1, .max = 10000, .summary = "How many stay."},
    END};

static const DpcxrOptionSpec privacy[] = {
    {"enabled", DPCXR_OPTION_BOOL, "true",
     .summary = "false: the same run without clipping and noise, and no claim."},
    {"unit", DPCXR_OPTION_CHOICE, "patient", .choices = "patient|image", .summary = "What is protected."},
    {"images_per_patient", DPCXR_OPTION_INT, "4", .min = 1, .max = 1 << 20, .choices = "all",
     .summary = "At most so many of a drawn patient's images, drawn anew each step."},
    {"adjacency", DPCXR_OPTION_CHOICE, "zero_out", .choices = "zero_out|add_remove|replace_one",
     .summary = "Which data sets are neighbours."},
    {"population", DPCXR_OPTION_INT, "null", .min = 1, .max = 9007199254740992.0,
     .summary = "Number of units, declared public; null takes the number of training units."},
    {"epsilon", DPCXR_OPTION_NUMBER, "null", POSITIVE,
     .summary = "Target that the noise is calibrated to; with noise_multiplier, a ceiling."},
    {"noise_multiplier", DPCXR_OPTION_NUMBER, "null", .max = 1e6,
     .summary = "Standard deviation of the noise over the clip norm; null calibrates it."},
    {"unsafe_no_noise", DPCXR_OPTION_BOOL, "false",
     .summary = "Allows noise_multiplier: 0, which voids the claim."},
    {"delta", DPCXR_OPTION_NUMBER, "null", .min = DBL_MIN, .max = 1,
     .summary = "Of the claim; well below 1/units."},
    {"unsafe_delta", DPCXR_OPTION_BOOL, "false", .summary = "Allows a delta of 1/units and more."},
    END};

static const DpcxrOptionSpec sampler[] = {
    {"type", DPCXR_OPTION_CHOICE, "poisson", .choices = "poisson|full|truncated_poisson|fixed|shuffle",
     .summary = "How units are drawn for a step."},
    {"cap", DPCXR_OPTION_INT, "null", COUNT, .unit = "units",
     .summary = "truncated_poisson: most units of a step; null: the least that is exceeded once in 1e10 steps."},
    END};

static const DpcxrOptionSpec clip[] = {{"type", DPCXR_OPTION_CHOICE, "flat",
                                        .choices = "flat|per_layer|automatic|normalise|adaptive",
                                        .summary = "How a unit's gradient is brought below the norm."},
                                       /* below, clipped floats lose their digits to underflow */
                                       {"norm", DPCXR_OPTION_NUMBER, "1.5", .min = 1e-12, .max = 1e9,
                                        .summary = "Bound on the L2 norm of a unit's gradient."},
                                       {"stability", DPCXR_OPTION_NUMBER, "0.01", .min = 1e-12, .max = 1e9,
                                        .summary = "Of automatic: C / (norm + stability)."},
                                       {"quantile", DPCXR_OPTION_NUMBER, "0.5", .min = 0, .max = 1,
                                        .summary = "Of adaptive: the share of units that the norm should spare."},
                                       {"rate", DPCXR_OPTION_NUMBER, "0.2", .min = 0, .max = 10,
                                        .summary = "Of adaptive: how fast the norm follows."},
                                       {"count_noise", DPCXR_OPTION_NUMBER, "null", POSITIVE, .unit = "units",
                                        .summary = "Of adaptive: standard deviation of the noise on the count of "
                                                   "spared units; null is a twentieth of a step's units."},
                                       END};

static const DpcxrOptionSpec noise[] = {
    {"type", DPCXR_OPTION_CHOICE, "gaussian", .choices = "gaussian|grid",
     .summary = "Floats, or integers with exactly sampled noise, which floating-point attacks do not reach."},
    {"source", DPCXR_OPTION_CHOICE, "os", .choices = "os|seeded",
     .summary = "A fresh secret key of the operating system, or a number (tests only, voids the claim)."},
    {"seed", DPCXR_OPTION_INT, "1", .max = DBL_MAX, .summary = "Of source seeded; without effect on os."},
    END};

static const DpcxrOptionSpec clip_schedule[] = {TYPE("constant", "How the clip norm changes over the steps."), END};
static const DpcxrOptionSpec noise_schedule[] = {
    TYPE("constant", "How the noise multiplier changes over the steps."),
    {"levels", DPCXR_OPTION_INT, "16", .min = 2, .max = 64,
     .summary = "So many noise multipliers a run takes at most; each costs the accountant time."},
    END};

static const DpcxrOptionSpec accountant[] = {TYPE("rdp", "The accountant that makes the claim."), END};

static const DpcxrOptionSpec evaluate[] = {
    {"splits", DPCXR_OPTION_STRINGS, "[valid, test]", .choices = "valid|test", .summary = "Which are evaluated."},
    {"no_finding", DPCXR_OPTION_STRING, "null",
     .summary = "The label that says nothing was found, whose false-positive rate is the "
                "underdiagnosis rate; null: no_finding or normal, if there is one."},
    {"curve_points", DPCXR_OPTION_INT, "10", .min = 0, .max = 1000,
     .summary = "How often the validation split is scored during training, for learning curves."},
    END};

static const DpcxrOptionSpec threshold[] = {
    {"rule", DPCXR_OPTION_CHOICE, "youden", .choices = "youden|sensitivity|specificity|f1",
     .summary = "How the working point is chosen: the largest Youden index or F1, or a given sensitivity or specificity."},
    {"value", DPCXR_OPTION_NUMBER, "null", .min = DBL_MIN, .max = 1,
     .summary = "The sensitivity or specificity to reach."},
    {"from", DPCXR_OPTION_CHOICE, "valid", .choices = "valid|test",
     .summary = "The split that it is chosen on; test is refused."},
    END};

static const DpcxrOptionSpec ci[] = {
    {"method", DPCXR_OPTION_CHOICE, "bootstrap", .choices = "none|bootstrap|delong",
     .summary = "Of confidence intervals; delong: of AUROC only, where each patient has one image."},
    {"by", DPCXR_OPTION_CHOICE, "patient", .choices = "patient|image", .summary = "What is drawn again."},
    {"replicates", DPCXR_OPTION_INT, "1000", .min = 1, .max = 100000, .summary = "How often."},
    {"level", DPCXR_OPTION_NUMBER, "0.95", .min = 0.5, .max = 0.9999, .summary = "Of the intervals."},
    {"seed", DPCXR_OPTION_INT, "1", .max = DBL_MAX, .summary = "Of the draws: the same seed, the same resamples."},
    END};

static const DpcxrOptionSpec small_groups[] = {
    {"min_n", DPCXR_OPTION_INT, "30", .min = 1, .max = 1e9, .unit = "images",
     .summary = "Groups of fewer are shown as too small."},
    {"min_pos", DPCXR_OPTION_INT, "10", .min = 1, .max = 1e9, .unit = "images",
     .summary = "Labels with fewer positives, or fewer negatives, in a group are shown as too few."},
    END};

static const DpcxrOptionSpec report[] = {{"formats", DPCXR_OPTION_STRINGS, "[html, csv]",
                                          .choices = "html|csv", .summary = "html: the page; csv: each figure as SVG, its numbers as CSV."},
                                         END};

static const DpcxrOptionSpec sweep[] = {
    {"repeat", DPCXR_OPTION_INT, "1", .min = 1, .max = 1000,
     .summary = "Runs of each point, with the seeds seed, seed + 1, .."},
    {"at", DPCXR_OPTION_CHOICE, "null", .choices = "noise|epsilon",
     .summary = "With accountants: one run that all of them account (noise), or one run each, its noise calibrated "
                "by it (epsilon)."},
    {"test", DPCXR_OPTION_CHOICE, "chosen", .choices = "chosen|all",
     .summary = "Which points are evaluated on the test split; what is chosen is always chosen on valid."},
    {"per", DPCXR_OPTION_STRINGS, "[]", .summary = "Keys: one point is chosen for each combination of their values."},
    END};

static const char *const of_data[] = {"groups", "augment", NULL};
static const char *const of_privacy[] = {"also_report", NULL};
static const char *const of_sweep[] = {"grid", "list", "accountants", NULL};

static const DpcxrSection sections[DPCXR_N_SECTIONS] = {
    [DPCXR_SECTION_TOP] = {"", "The experiment.", top},
    [DPCXR_SECTION_DEVICE] = {"device", "What computes.", device},
    [DPCXR_SECTION_DATA] = {"data", "Images and labels.", data, DPCXR_FEATURE_DATASET, of_data},
    [DPCXR_SECTION_IMAGE] = {"data.image", "What the network sees.", image},
    [DPCXR_SECTION_CACHE] = {"data.cache", "Decoded images.", cache},
    [DPCXR_SECTION_MODEL] = {"model", "The network.", model, DPCXR_FEATURE_MODEL},
    [DPCXR_SECTION_LOSS] = {"loss", "What is minimised.", loss},
    [DPCXR_SECTION_POS_WEIGHT] = {"loss.pos_weight", "Weights of positive labels.", pos_weight},
    [DPCXR_SECTION_OPTIMIZER] = {"optimizer", "The update rule.", optimizer, DPCXR_FEATURE_OPTIMIZER},
    [DPCXR_SECTION_SCHEDULE] = {"schedule", "The learning rate over time.", schedule, DPCXR_FEATURE_SCHEDULE},
    [DPCXR_SECTION_TRAIN] = {"train", "How long, and what is kept.", train},
    [DPCXR_SECTION_BATCH] = {"train.batch", "Sizes of a step.", batch},
    [DPCXR_SECTION_CHECKPOINT] = {"train.checkpoint", "What a stopped run goes on from.", checkpoint},
    [DPCXR_SECTION_PRIVACY] = {"privacy", "The claim.", privacy, DPCXR_FEATURE_NONE, of_privacy},
    [DPCXR_SECTION_SAMPLER] = {"privacy.sampler", "Who is in a step.", sampler},
    [DPCXR_SECTION_CLIP] = {"privacy.clip", "The bound on a unit's influence.", clip},
    [DPCXR_SECTION_CLIP_SCHEDULE] = {"privacy.clip.schedule", "The clip norm over time.", clip_schedule,
                                     DPCXR_FEATURE_RAMP},
    [DPCXR_SECTION_NOISE] = {"privacy.noise", "What hides a unit.", noise},
    [DPCXR_SECTION_NOISE_SCHEDULE] = {"privacy.noise.schedule", "The noise multiplier over time.",
                                      noise_schedule, DPCXR_FEATURE_RAMP},
    [DPCXR_SECTION_ACCOUNTANT] = {"privacy.accountant", "What proves epsilon.", accountant,
                                  DPCXR_FEATURE_ACCOUNTANT},
    [DPCXR_SECTION_EVALUATE] = {"evaluate", "How the model is judged.", evaluate},
    [DPCXR_SECTION_THRESHOLD] = {"evaluate.threshold", "The working point.", threshold},
    [DPCXR_SECTION_CI] = {"evaluate.ci", "Confidence intervals.", ci},
    [DPCXR_SECTION_SMALL_GROUPS] = {"evaluate.groups", "When a group is too small to judge.", small_groups},
    [DPCXR_SECTION_REPORT] = {"report", "What the report stage writes.", report},
    [DPCXR_SECTION_SWEEP] = {"sweep", "Many runs, for `dpcxr sweep`.", sweep, DPCXR_FEATURE_NONE, of_sweep},
};

static const DpcxrUnbuilt unbuilt[] = {
    {0}};

const DpcxrSection *dpcxr_sections(void)
{
    return sections;
}

const DpcxrOptionSpec *dpcxr_group_options(void)
{
    return group;
}

const DpcxrUnbuilt *dpcxr_unbuilt(void)
{
    return unbuilt;
}
