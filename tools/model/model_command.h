// `remixer model`, with the subcommands that read datasets and patch labels.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "core/augment/patch_labels.h"
#include "core/dataset/dataset.h"
#include "core/models/model.h"

namespace CLI {
class App;
}

namespace remixer::worker {

// argv[0] is "model". Returns the program's exit code.
int model_command(int argc, char** argv);

// Its subcommands here; argv[0] is the subcommand's name.
int model_challenge(int argc, char** argv);
int model_evaluate(int argc, char** argv);
int model_explain(int argc, char** argv);
int model_saliency(int argc, char** argv);

// The set that such a subcommand works on, and its patch labels.
struct SetOptions {
  std::string dataset, set = "original", labels, distance;
};
void add_set_options(CLI::App& app, SetOptions& options);

struct OpenedSet {
  data::Dataset dataset;
  std::unique_ptr<data::LabelSource> labels;  // null where none were given
  std::string distance;  // what was asked, else l1 of one channel, cosine of more
};
OpenedSet open_set(const SetOptions& options);

// Parses; returns an exit code where the program is to end (help, bad usage), else -1.
int parse_arguments(CLI::App& app, int argc, char** argv);

}  // namespace remixer::worker
