/* SPDX-License-Identifier: MIT
 * YAML as a tree of nodes that know where they were written. Read through libyaml's event interface with limits, so that
 * a hostile file ends in an error, quickly. Scalars follow the core schema of YAML 1.2: 1e-6 is a number; no, on, yes
 * and 12:30 are text. Not supported, with an error: tags, several documents, keys that are not scalars. */
#pragma once
#include "config/problems.h"
#include <glib.h>

/* Limits of one document. Nodes and bytes are counted after aliases are expanded. */
#define DPCXR_YAML_MAX_FILE (1 << 20)  /* bytes */
#define DPCXR_YAML_MAX_DEPTH 64        /* of nested lists and maps */
#define DPCXR_YAML_MAX_NODES 65536
#define DPCXR_YAML_MAX_TEXT (4 << 20)  /* bytes of all scalars together */
#define DPCXR_YAML_MAX_SCALAR (64 << 10) /* bytes of one */
#define DPCXR_YAML_MAX_KEYS 1024       /* of one map */

typedef enum { DPCXR_YAML_SCALAR, DPCXR_YAML_LIST, DPCXR_YAML_MAP } DpcxrYamlKind;

typedef struct _DpcxrYaml DpcxrYaml;
struct _DpcxrYaml {
    DpcxrYamlKind kind;
    DpcxrMark mark;
    char *text;       /* SCALAR: its text */
    gboolean plain;   /* SCALAR: written without quotes, so it may be a number, a truth value or null */
    gboolean from_environment; /* SCALAR: the text has a variable's value in it */
    GPtrArray *keys;  /* MAP: DpcxrYaml *, scalars, in order */
    GPtrArray *items; /* LIST: its items; MAP: the values of `keys` */
};

/* Reads a file. NULL where it cannot be read or is not YAML; what is wrong is then in @problems. */
DpcxrYaml *dpcxr_yaml_read(const char *path, DpcxrProblems *problems);
/* Parses @length bytes (-1: up to the NUL) that came from @file; an empty text is a null scalar.
 * @at: (nullable) give every node, and every problem, this mark instead of its own position. */
DpcxrYaml *dpcxr_yaml_parse(const char *text, gssize length, const char *file, const DpcxrMark *at,
                            DpcxrProblems *problems);
void dpcxr_yaml_free(DpcxrYaml *node);
G_DEFINE_AUTOPTR_CLEANUP_FUNC(DpcxrYaml, dpcxr_yaml_free)

DpcxrYaml *dpcxr_yaml_new(DpcxrYamlKind kind, const DpcxrMark *mark);
DpcxrYaml *dpcxr_yaml_new_scalar(const char *text, gboolean plain, const DpcxrMark *mark);
DpcxrYaml *dpcxr_yaml_copy(const DpcxrYaml *node);
/* The value of @key in @map, or NULL. @map may be NULL or not a map: NULL. */
DpcxrYaml *dpcxr_yaml_get(const DpcxrYaml *map, const char *key);
/* Replaces or appends; takes @value. The key gets the mark of the value. */
void dpcxr_yaml_set(DpcxrYaml *map, const char *key, DpcxrYaml *value);
gboolean dpcxr_yaml_remove(DpcxrYaml *map, const char *key);

/* The core schema. A quoted scalar is text and nothing else. */
gboolean dpcxr_yaml_is_null(const DpcxrYaml *node);
gboolean dpcxr_yaml_get_bool(const DpcxrYaml *node, gboolean *value);
/* A whole number that fits. */
gboolean dpcxr_yaml_get_int(const DpcxrYaml *node, gint64 *value);
/* Any number, also .inf and .nan. */
gboolean dpcxr_yaml_get_number(const DpcxrYaml *node, double *value);
/* What @node is, for "got ...": `the text "abc"`, `the number 5`, `a list`. (transfer full) */
char *dpcxr_yaml_describe(const DpcxrYaml *node);
/* @text (UTF-8) for a message: cut where it is long, control characters replaced. (transfer full) */
char *dpcxr_yaml_show(const char *text);

/* Block style, short lists of scalars in brackets. Reads back as an equal tree. (transfer full) */
char *dpcxr_yaml_write(const DpcxrYaml *node);
/* The same in one line, without a newline, as the value of an override. (transfer full) */
char *dpcxr_yaml_write_line(const DpcxrYaml *node);
