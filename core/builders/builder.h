// SPDX-License-Identifier: Apache-2.0
// Builds data sets, and checks imported ones before use.
#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "base/json.h"

namespace remixer::data {

// Builds what `spec` ({"builder": "fashion-bg", "version": 1, parameters...}) describes into
// `folder`, which must not exist and appears whole, by rename, or not at all. Equal specs give
// byte-equal datasets, on any machine and number of threads.
// on_progress(done, total) counts images; it may throw to stop the build.
// Throws InputError on an unknown builder or where source files are missing (with the package that
// brings them).
void build_dataset(const Json& spec, const std::filesystem::path& folder,
                   const std::function<void(int64_t done, int64_t total)>& on_progress = {});

// Checks that a dataset which was imported is there: `folder` holds the one that `spec` stands for,
// and its images are still where they were. Looks at one image of each split; `remixer dataset
// verify` looks at all. Throws InputError that says what to do.
void check_imported(const Json& spec, const std::filesystem::path& folder);

}  // namespace remixer::data
