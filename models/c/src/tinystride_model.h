/* SPDX-License-Identifier: MIT */
/* The Arduino build looks for headers beside the sources. */
#include "../include/tinystride_model.h"
