// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/component_spec.h"

#include "base/error.h"

namespace remixer::experiments {
namespace {

constexpr const char* kVersion = "version";

Json write_component(const ComponentSpec& spec, const char* name_field) {
  Json json = {{name_field, spec.name}, {kVersion, spec.version}};
  for (const auto& [name, value] : spec.parameters) json[name] = value;
  for (const auto& [name, value] : spec.hashes) json[name] = value;
  return json;
}

void read_component(const Json& json, const Place& place, const char* name_field,
                    ComponentSpec& spec) {
  ObjectReader reader(json, place);
  reader(name_field, spec.name);
  reader(kVersion, spec.version);
  for (const auto& [name, value] : json.items()) {
    if (name == name_field || name == kVersion) continue;
    if (value.is_string()) {
      spec.hashes[name] = value.get<std::string>();
    } else {
      ObjectReader::read(value, Place(place, name.c_str()), spec.parameters[name]);
    }
  }
}

template <typename Spec>
std::string short_id_of(const Spec& spec) {
  constexpr size_t kDigits = 16;
  return content_id(write_value(spec)).substr(0, kDigits);
}

}  // namespace

int64_t ComponentSpec::parameter(const std::string& wanted) const {
  const auto found = parameters.find(wanted);
  if (found == parameters.end()) fail_input("{}: parameter '{}' is missing", name, wanted);
  return found->second;
}

int64_t ComponentSpec::parameter(const std::string& wanted, int64_t absent) const {
  const auto found = parameters.find(wanted);
  return found == parameters.end() ? absent : found->second;
}

std::string ComponentSpec::hash(const std::string& wanted) const {
  const auto found = hashes.find(wanted);
  return found == hashes.end() ? std::string() : found->second;
}

Json write_value(const LabelerSpec& spec) {
  return write_component(spec, "name");
}

void read_value(const Json& json, const Place& place, LabelerSpec& spec) {
  spec = {};
  read_component(json, place, "name", spec);
}

Json write_value(const DatasetSpec& spec) {
  return write_component(spec, "builder");
}

void read_value(const Json& json, const Place& place, DatasetSpec& spec) {
  spec = {};
  read_component(json, place, "builder", spec);
}

std::string short_id(const LabelerSpec& spec) {
  return short_id_of(spec);
}

std::string short_id(const DatasetSpec& spec) {
  return short_id_of(spec);
}

}  // namespace remixer::experiments
