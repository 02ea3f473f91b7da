// SPDX-License-Identifier: Apache-2.0
// Specs of a cell's labeler and data set: the code that makes them, and its inputs.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <string>

#include "base/json.h"
#include "base/object_reader.h"

namespace remixer::experiments {

// Equal specs give equal labels or images. Plain values; thread-safe as such.
struct ComponentSpec {
  std::string name;     // "saliency", "fashion-bg"
  int64_t version = 1;  // version of that name's meaning (experiments/spec/components.h)
  std::map<std::string, int64_t> parameters{};  // "input_size": 96
  // SHA-256 of the inputs that the result depends on besides the code: "weights_sha256",
  // "labels_sha256", "manifest_sha256".
  std::map<std::string, std::string> hashes{};

  bool has(const std::string& parameter) const { return parameters.contains(parameter); }
  // Throws InputError if there is no such parameter.
  int64_t parameter(const std::string& name) const;
  int64_t parameter(const std::string& name, int64_t absent) const;
  // Empty if there is no such hash.
  std::string hash(const std::string& name) const;

  auto operator<=>(const ComponentSpec&) const = default;
};

// JSON: {"name", "version", every parameter and hash by its name}.
struct LabelerSpec : ComponentSpec {
  // Whether it runs a network.
  bool has_weights() const { return !hash("weights_sha256").empty(); }
  auto operator<=>(const LabelerSpec&) const = default;
};
Json write_value(const LabelerSpec& spec);
// Throws InputError naming the field.
void read_value(const Json& json, const Place& place, LabelerSpec& spec);

// JSON: the same with "builder" for "name".
struct DatasetSpec : ComponentSpec {
  auto operator<=>(const DatasetSpec&) const = default;
};
Json write_value(const DatasetSpec& spec);
void read_value(const Json& json, const Place& place, DatasetSpec& spec);

// First 16 digits of the SHA-256 of the spec's canonical JSON. Names its folder in a workspace.
std::string short_id(const LabelerSpec& spec);
std::string short_id(const DatasetSpec& spec);

}  // namespace remixer::experiments
