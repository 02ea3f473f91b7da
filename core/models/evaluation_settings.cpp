// SPDX-License-Identifier: Apache-2.0
#include "core/models/evaluation_settings.h"

#include "base/error.h"
#include "base/object_reader.h"

namespace remixer::models {
namespace {

constexpr const char* kKey = "evaluation";
constexpr int64_t kVersion = 1;  // of the entry's format

void read_three(const Json& json, const char* name, std::array<float, 3>& values) {
  std::vector<double> read;
  ObjectReader::read(json, name, read);
  if (read.size() != values.size()) fail_input("{} must be three numbers", name);
  for (size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(read[i]);
}

EvaluationSettings from_json(const Json& json) {
  EvaluationSettings settings;
  ObjectReader v(json, kKey);
  int64_t version = 0;
  Json mean, deviation;
  v("version", version);
  if (version != kVersion) {
    fail_input("it is of version {}, this program reads {}", version, kVersion);
  }
  v("classes", settings.classes);
  v("mean", mean);
  v("deviation", deviation);
  v("image_size", settings.image_size);
  v("crop", settings.crop);
  v("interpolation", settings.interpolation);
  v("token_vote", settings.token_vote);
  v("labeler", settings.labeler);
  v("distance", settings.distance);
  v.finish();
  read_three(mean, "mean", settings.mean);
  read_three(deviation, "deviation", settings.deviation);
  for (const float value : settings.deviation) {
    if (!(value > 0)) fail_input("deviation must be above 0");
  }
  if (!(settings.crop > 0 && settings.crop <= 1)) fail_input("crop must be above 0 and at most 1");
  if (settings.interpolation != "bicubic" && settings.interpolation != "bilinear") {
    fail_input("interpolation must be bicubic or bilinear, not '{}'", settings.interpolation);
  }
  return settings;
}

}  // namespace

std::map<std::string, std::string> metadata_of(const EvaluationSettings& settings) {
  const Json json = {{"version", kVersion},
                     {"classes", settings.classes},
                     {"mean", settings.mean},
                     {"deviation", settings.deviation},
                     {"image_size", settings.image_size},
                     {"crop", settings.crop},
                     {"interpolation", settings.interpolation},
                     {"token_vote", settings.token_vote},
                     {"labeler", ObjectWriter::write(settings.labeler)},
                     {"distance", settings.distance}};
  return {{kKey, json.dump()}};
}

std::optional<EvaluationSettings> stored_settings(const io::Safetensors& file) {
  const auto entry = file.metadata.find(kKey);
  if (entry == file.metadata.end()) return std::nullopt;
  try {
    const Json json = Json::parse(entry->second, nullptr, /*allow_exceptions=*/false);
    if (json.is_discarded()) fail_input("it is no JSON");
    return from_json(json);
  } catch (const InputError& error) {
    fail_input("{}: the metadata's entry '{}' cannot be used: {}", file.path.string(), kKey,
               error.what());
  }
}

}  // namespace remixer::models
