/* SPDX-License-Identifier: MIT */
#ifndef VIGIL_TESTS_JSON_H
#define VIGIL_TESTS_JSON_H

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

/* Whether a text is one JSON value and nothing else. No recursion: a stack of brackets. */

static inline const char *json_space(const char *s)
{
    while (*s == ' ' || *s == '\n' || *s == '\t' || *s == '\r')
        s++;
    return s;
}

/* These return the end of what they name, or NULL. */
static inline const char *json_string(const char *s)
{
    if (*s++ != '"')
        return NULL;
    for (; *s != '"'; s++) {
        if ((unsigned char)*s < 0x20 || (unsigned char)*s > 0x7e)
            return NULL;
        if (*s != '\\')
            continue;
        s++;
        if (*s == 'u') {
            for (int i = 0; i < 4; i++)
                if (!isxdigit((unsigned char)*++s))
                    return NULL;
        } else if (strchr("\"\\/bfnrt", *s) == NULL || *s == '\0') {
            return NULL;
        }
    }
    return s + 1;
}

static inline const char *json_number(const char *s)
{
    s += *s == '-';
    if (!isdigit((unsigned char)*s) || (*s == '0' && isdigit((unsigned char)s[1])))
        return NULL;
    while (isdigit((unsigned char)*s))
        s++;
    return s;
}

static inline const char *json_scalar(const char *s)
{
    if (*s == '"')
        return json_string(s);
    if (strncmp(s, "null", 4) == 0 || strncmp(s, "true", 4) == 0)
        return s + 4;
    if (strncmp(s, "false", 5) == 0)
        return s + 5;
    return json_number(s);
}

/* After a value: closes what is complete; NULL if something else than a comma or an end comes. */
static inline const char *json_after(const char *s, char *stack, int *depth)
{
    s = json_space(s);
    while (*depth > 0 && *s == stack[*depth - 1]) {
        --*depth;
        s = json_space(s + 1);
    }
    if (*depth == 0)
        return *s == '\0' ? s : NULL;
    return *s == ',' ? json_space(s + 1) : NULL;
}

static inline const char *json_key(const char *s)
{
    s = json_string(s);
    if (s == NULL)
        return NULL;
    s = json_space(s);
    return *s == ':' ? json_space(s + 1) : NULL;
}

static inline bool json_is_valid(const char *s)
{
    char stack[32];
    int depth = 0;

    s = json_space(s);
    do {
        bool empty;

        if (depth > 0 && stack[depth - 1] == '}' && (s = json_key(s)) == NULL)
            return false;
        if (*s != '{' && *s != '[') {
            s = json_scalar(s);
            s = s != NULL ? json_after(s, stack, &depth) : NULL;
            continue;
        }
        if (depth == (int)sizeof stack)
            return false;
        stack[depth++] = *s == '{' ? '}' : ']';
        s = json_space(s + 1);
        empty = *s == stack[depth - 1];
        if (empty)
            s = json_after(s, stack, &depth);
    } while (s != NULL && depth > 0);
    return s != NULL;
}

#endif
