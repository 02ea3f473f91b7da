// SPDX-License-Identifier: Apache-2.0
// `remixer dataset build` and `import`.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "core/importer/importer.h"

namespace remixer::data {

struct BuildOptions {
  std::string builder;
  std::vector<std::string> parameters;
  std::filesystem::path output, workspace;
  std::filesystem::path from, boxes;  // for builders from a user's own files
  std::string name;                   // empty: the builder's name
  bool replace = false;
};
CLI::App* add_build(CLI::App& app, BuildOptions& options);
int run_build(const BuildOptions& options);

struct ImportOptions {
  ImportJob job;
  double hold_out_percent = 0;
  std::vector<std::string> allow;
};
CLI::App* add_import(CLI::App& app, ImportOptions& options);
int run_import(ImportOptions options);

}  // namespace remixer::data
