// SPDX-License-Identifier: Apache-2.0
// What a grid can name: labelers and dataset builders (architectures have a file of their own), and
// what stands for each of them in a cell's identity. Immutable tables; thread-safe.
//
// A version is raised when code changes what the same name and parameters produce. Each entry that
// these functions make holds every parameter, so that a default can change without changing what an
// old cell means.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "experiments/spec/architectures.h"
#include "experiments/spec/cell.h"

namespace remixer::experiments {

// An integer parameter of a labeler or a builder.
struct Parameter {
  std::string name;
  int64_t value = 0;  // the default
  int64_t low = 0, high = 0;
  // Came after the first release: left out of an entry at its default, which is what the older
  // entries without it mean.
  bool added = false;
  // The only values it may have, where not all from low to high.
  std::vector<int64_t> only{};
};

struct Labeler {
  std::string name;
  std::string distance;  // "l1" or "cosine": the one that its labels are made for
  std::vector<Parameter> parameters;
  std::string weights_sha256;  // of the network's published weights; empty without a network
  int64_t version = 1;
  // The name of the hash that a grid must give, of what is the user's own: weights, or a set of
  // imported maps. Empty for a labeler that needs nothing of the sort.
  std::string pin{};
};
// All but "none".
const std::vector<Labeler>& labelers();
const Labeler& find_labeler(std::string_view name);
// {"name", "version", every parameter, "weights_sha256" of a network}. `overrides` holds parameters
// by name, and the pin of a labeler that needs one. Throws InputError on an unknown labeler or
// parameter, a value out of range or a missing pin.
Json labeler_entry(std::string_view name, const Json& overrides = Json::object());

struct DatasetBuilder {
  std::string name;
  std::vector<Parameter> parameters;
  int64_t image_size = 0;
  std::vector<std::string> evaluation_sets;
  int64_t version = 1;
  // Made by `remixer dataset build` from a user's own files. A grid names the result as an imported
  // dataset; only the others can be built by a grid's prepare task.
  bool from_own_files = false;
};
const std::vector<DatasetBuilder>& dataset_builders();  // all but kImportedBuilder
const DatasetBuilder& find_dataset_builder(std::string_view name);
// {"builder", "version", every parameter}. As labeler_entry.
Json dataset_entry(std::string_view builder, const Json& overrides = Json::object());

// SHA-256 of the files that the labelers' networks are converted from.
inline constexpr std::string_view kU2netpSha256 =
    "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8";  // u2netp.onnx
inline constexpr std::string_view kEfficientNetLite0Sha256 =
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db";  // ...-57934424.pth

// Throws InputError where `cell` was made for another version of a component than this program
// holds, naming the component: running it here would give another cell's result.
void require_known_versions(const Cell& cell);

}  // namespace remixer::experiments
