// SPDX-License-Identifier: Apache-2.0
// Function multiversioning: loops are also compiled for newer processors, and chosen at program
// start. Their arithmetic must give the same bits on each: integers, exact conversions, and floats
// whose products and sums are not contracted (-ffp-contract=off).
#pragma once

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && \
    !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define REMIXER_FOR_EACH_PROCESSOR __attribute__((target_clones("default", "arch=x86-64-v3")))
#else
#define REMIXER_FOR_EACH_PROCESSOR
#endif
