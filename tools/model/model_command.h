// SPDX-License-Identifier: Apache-2.0
// `remixer model`, with the subcommands that read datasets and patch labels.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "core/augment/patch_labels.h"
#include "core/dataset/dataset.h"
#include "core/distributed/communicator.h"
#include "core/evaluation/settings.h"
#include "core/io/safetensors.h"

namespace CLI {
class App;
}

namespace remixer::worker {

// argv[0] is "model". Returns the program's exit code.
int model_command(int argc, char** argv);

// Its subcommands in this folder; argv[0] is the subcommand's name.
int model_challenge(int argc, char** argv);
int model_evaluate(int argc, char** argv);
int model_explain(int argc, char** argv);
int model_saliency(int argc, char** argv);

// The set to work on, and its patch labels.
struct SetOptions {
  std::filesystem::path dataset;  // its folder, or its name in the workspace
  std::string set = "original", labels;
  bool any_labeler = false;  // accept labels of another labeler than the model's
};
void add_set_options(CLI::App& app, SetOptions& options);

// The set's patch labels for a model, checked against the labeler in its settings; null for a plain
// model, and if none were given. Sets the distance if the settings have none: l1 for one channel,
// cosine for more.
std::unique_ptr<data::LabelSource> open_set_labels(const SetOptions& options,
                                                   const data::Dataset& dataset,
                                                   evaluation::Evaluated& evaluated);

// Weights, and the user's evaluation settings besides those stored in the weights.
struct WeightsOptions {
  std::string architecture, spatial_prior, weights;
  evaluation::SettingsWishes wishes;
  std::filesystem::path workspace;  // where data sets are found by name
};
// --arch, --spatial-prior, --workspace and the wishes; also --weights if `weights` is true.
void add_weights_options(CLI::App& app, WeightsOptions& options, bool weights = true);
// Only the wishes; `own_size`: with --image-size.
void add_wishes(CLI::App& app, evaluation::SettingsWishes& wishes, bool own_size = true);
// With the folder of the data set that --trained-on names.
evaluation::SettingsWishes resolved_wishes(evaluation::SettingsWishes wishes,
                                           const std::filesystem::path& workspace);
// Opens the set. Throws InputError if the workspace has no such data set.
data::Dataset open_set(const SetOptions& set, const WeightsOptions& weights);
// As evaluation::settings_of(), with the requested spatial prior.
evaluation::Evaluated evaluated_of(const WeightsOptions& options, const io::Safetensors& file);

// Parses; returns an exit code if the program is to end (help, bad usage), else -1.
int parse_arguments(CLI::App& app, int argc, char** argv);

}  // namespace remixer::worker
