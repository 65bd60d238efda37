/* features.h: what this kernel offers, each tried and not looked up. */
#ifndef ENGINE_FEATURES_H
#define ENGINE_FEATURES_H

#include <stdio.h>

struct conf;

/* Try each, and print what is there and what falls back for want of it. */
void features_print(FILE *, const struct conf *);

#endif
