// SPDX-License-Identifier: Apache-2.0
// `remixer labels build|import|pin`: makes label files, registers a user's own weights.
#pragma once

#include <CLI/CLI.hpp>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/parallel.h"
#include "labelcache/importers/label_import.h"
#include "labelcache/labelers/labeler.h"

namespace remixer::labelcache {

// A labeler and its input.
struct LabelerOptions {
  std::string labeler, split;
  std::vector<std::string> parameters;  // "NAME=VALUE"
  std::filesystem::path dataset, weights, workspace;
};
void add_labeler_options(CLI::App& command, LabelerOptions& options);
std::unique_ptr<Labeler> open_labeler(const LabelerOptions& options);

struct BuildOptions {
  LabelerOptions labeler;
  std::filesystem::path output;
  unsigned threads = available_threads();
  bool skip_unreadable = false, restart = false;
  std::string device = "auto";
};
CLI::App* add_build(CLI::App& app, BuildOptions& options);
int run_build(const BuildOptions& options);

struct ImportOptions {
  ImportJob job;  // its dataset: a folder, or a name in the workspace
  std::filesystem::path workspace;
  bool restart = false;
};
CLI::App* add_import(CLI::App& app, ImportOptions& options);
int run_import(ImportOptions options);

struct PinOptions {
  std::vector<std::string> files;
  std::string name;
  std::filesystem::path workspace, folder;  // folder: empty: the workspace's
};
CLI::App* add_pin(CLI::App& app, PinOptions& options);
int run_pin(PinOptions options);

}  // namespace remixer::labelcache
