/* SPDX-License-Identifier: MIT */
#include "../include/tinystride.h"
