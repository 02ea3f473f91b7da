// SPDX-License-Identifier: Apache-2.0
// `remixer labels inspect|verify|stats|quality`: content of label files, quality of labels.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "tools/labels/label_make.h"

namespace remixer::labelcache {

struct InspectOptions {
  std::filesystem::path file, dataset, png, workspace;
  std::string sample, format = "table";
};
CLI::App* add_inspect(CLI::App& app, InspectOptions& options);
int run_inspect(const InspectOptions& options);

struct VerifyOptions {
  std::vector<std::string> files;
};
CLI::App* add_verify(CLI::App& app, VerifyOptions& options);
int run_verify(const VerifyOptions& options);

struct StatsOptions {
  std::filesystem::path file;
  std::string format = "table";
};
CLI::App* add_stats(CLI::App& app, StatsOptions& options);
int run_stats(const StatsOptions& options);

struct QualityOptions {
  LabelerOptions labeler;
  int64_t images = 500;
  int grid = 8;
  std::string format = "table";
};
CLI::App* add_quality(CLI::App& app, QualityOptions& options);
int run_quality(const QualityOptions& options);

}  // namespace remixer::labelcache
