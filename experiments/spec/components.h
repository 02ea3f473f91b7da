// SPDX-License-Identifier: Apache-2.0
// Labelers and dataset builders that a grid can name (architectures have their own file), and the
// specs that cells hold of them. Immutable tables; thread-safe.
//
// A version is raised when code changes the result of the same name and parameters. Each spec holds
// every parameter, so that a default can change without changing the meaning of an old cell.
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
  // Added after the first release: left out of a spec at its default, which is what older specs
  // without it mean.
  bool added = false;
  // The allowed values, if not all from low to high.
  std::vector<int64_t> only{};
};

struct Labeler {
  std::string name;
  std::string distance;  // "l1" or "cosine": the one its labels are made for
  std::vector<Parameter> parameters;
  std::string weights_sha256;  // of the network's published weights; empty without a network
  int64_t version = 1;
  // The name of the hash that a grid must give for the user's own input: weights, or a set of
  // imported maps. Empty for a labeler without such input.
  std::string pin{};
};
// All but "none".
const std::vector<Labeler>& labelers();
const Labeler& find_labeler(std::string_view name);
// A spec with every parameter, and "weights_sha256" if it has a network. `overrides` holds
// parameters by name, and the pin if the labeler needs one. Throws InputError on an unknown labeler
// or parameter, a value out of range or a missing pin.
LabelerSpec make_labeler_spec(std::string_view name, const Json& overrides = Json::object());

struct DatasetBuilder {
  std::string name;
  std::vector<Parameter> parameters;
  int64_t image_size = 0;
  std::vector<std::string> evaluation_sets;
  int64_t version = 1;
  // Made by `remixer dataset build` from a user's own files. A grid names the result as an imported
  // dataset; a grid's prepare task can build only the other builders' datasets.
  bool from_own_files = false;
};
const std::vector<DatasetBuilder>& dataset_builders();  // all but kImportedBuilder
const DatasetBuilder& find_dataset_builder(std::string_view name);
// A spec with every parameter. Throws as make_labeler_spec().
DatasetSpec make_dataset_spec(std::string_view builder, const Json& overrides = Json::object());

// SHA-256 of the files from which the labelers' networks are converted.
inline constexpr std::string_view kU2netpSha256 =
    "309c8469258dda742793dce0ebea8e6dd393174f89934733ecc8b14c76f4ddd8";  // u2netp.onnx
inline constexpr std::string_view kEfficientNetLite0Sha256 =
    "579344248a93e23026e6b78f1f6faf0bc1d282386f6c881cdbaacd49cabf77db";  // ...-57934424.pth

// Throws InputError if `cell` was made for another version of a component than this program's,
// naming the component: running it here would give another cell's result.
void require_known_versions(const Cell& cell);

}  // namespace remixer::experiments
