// SPDX-License-Identifier: Apache-2.0
// Builds data sets, and checks imported ones before use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "experiments/spec/component_spec.h"

namespace remixer::data {

// Builds the dataset that `spec` (from experiments::make_dataset_spec()) describes in `folder`,
// which must not exist; it appears complete, by atomic rename, or not at all. Equal specs give
// byte-equal datasets, on any machine and number of threads.
// on_progress(done, total) counts images; it may throw to stop the build.
// Throws InputError on an unknown builder or if source files are missing (naming the package that
// provides them).
void build_dataset(const experiments::DatasetSpec& spec, const std::filesystem::path& folder,
                   const std::function<void(int64_t done, int64_t total)>& on_progress = {});

// Checks an imported dataset: `folder` must hold the dataset of `spec`, and its images must still
// be in place. Looks at one image of each split (`remixer dataset verify` looks at all). The
// InputError says what to do.
void check_imported(const experiments::DatasetSpec& spec, const std::filesystem::path& folder);

}  // namespace remixer::data
