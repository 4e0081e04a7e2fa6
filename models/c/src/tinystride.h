#include "../include/tinystride.h"
