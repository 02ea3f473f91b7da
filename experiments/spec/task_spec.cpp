// SPDX-License-Identifier: Apache-2.0
#include "experiments/spec/task_spec.h"

#include "base/error.h"
#include "base/object_reader.h"

namespace remixer::experiments {
namespace {

constexpr const char* kSpec = "task.spec";

void check_number(const Place& place, int64_t images) {
  if (images >= 1 && images <= kMostSaliencyImages) return;
  fail_input("{}: must name 1 to {} images, or say how many", place.text(), kMostSaliencyImages);
}

// Reads "kind", which every spec has, and "cell" of a cell's tasks.
ObjectReader opened(const Json& json, bool of_cell) {
  ObjectReader reader(json, kSpec);
  Json ignored;
  reader("kind", ignored);
  if (of_cell) reader.optional("cell", ignored, Json());
  return reader;
}

// The members of both kinds that show a cell images; only evaluations have `transform`.
ShownSet read_set(const Json& json, ObjectReader& reader, bool transformed) {
  ShownSet set;
  int64_t version = 0;
  reader("eval_set", set.name);
  reader("version", version);
  set.split = set.name;
  if (json.contains("dataset")) reader("dataset", set.other_dataset);
  if (set.other_dataset || transformed) reader("split", set.split);
  return set;
}

}  // namespace

Json write_value(const SaliencyImages& images) {
  if (!images.names.empty()) return images.names;
  return {{"count", images.count}, {"seed", images.seed}};
}

void read_value(const Json& json, const Place& place, SaliencyImages& images) {
  images = {};
  if (json.is_array()) {
    ObjectReader::read(json, place, images.names);
    return check_number(place, static_cast<int64_t>(images.names.size()));
  }
  ObjectReader reader(json, place);
  reader("count", images.count);
  reader("seed", images.seed);
  reader.finish();
  check_number(place, images.count);
  if (images.seed < 0) fail_input("{}.seed is {}; it must be 0 or more", place.text(), images.seed);
}

Json spec_json(const PrepareSpec& spec) {
  return {{"kind", "prepare"}, {"dataset", write_value(spec.dataset)}};
}

Json spec_json(const LabelSpec& spec) {
  return {{"kind", "label"},
          {"dataset", write_value(spec.dataset)},
          {"split", spec.split},
          {"labeler", write_value(spec.labeler)}};
}

Json train_spec(const Json& cell_identity) {
  return {{"kind", "train"}, {"cell", cell_identity}};
}

Json spec_json(const EvaluateSpec& spec, const Json& cell_identity) {
  const ShownSet& set = spec.set;
  const bool own = !set.other_dataset, whole = spec.transform == kWholeTransform;
  Json json = {{"kind", "evaluate"},
               {"cell", cell_identity},
               {"eval_set", whole ? set.name : set.name + kReleasedSuffix},
               {"version", own ? kEvaluationVersion : kOtherDatasetEvaluationVersion}};
  // Omitted for tasks on the cell's own sets, so that their older ids stay the same.
  if (!own) json["dataset"] = write_value(*set.other_dataset);
  if (!whole) json["transform"] = spec.transform;
  if (!own || !whole) json["split"] = set.split;
  return json;
}

Json spec_json(const SaliencySpec& spec, const Json& cell_identity) {
  const ShownSet& set = spec.set;
  const bool own = !set.other_dataset;
  const bool votes = cell_identity.at("recipe").value("token_labeling", "none") == "original";
  Json json = {{"kind", "saliency"},
               {"cell", cell_identity},
               {"eval_set", set.name},
               {"images", write_value(spec.images)},
               {"version", own && !votes ? kSaliencyVersion : kOtherSaliencyVersion}};
  if (!own) {
    json["dataset"] = write_value(*set.other_dataset);
    json["split"] = set.split;
  }
  return json;
}

PrepareSpec prepare_spec(const Json& json) {
  PrepareSpec spec;
  ObjectReader reader = opened(json, false);
  reader("dataset", spec.dataset);
  reader.finish();
  return spec;
}

LabelSpec label_spec(const Json& json) {
  LabelSpec spec;
  ObjectReader reader = opened(json, false);
  reader("dataset", spec.dataset);
  reader("split", spec.split);
  reader("labeler", spec.labeler);
  reader.finish();
  return spec;
}

void check_train_spec(const Json& json) {
  opened(json, true).finish();
}

EvaluateSpec evaluate_spec(const Json& json) {
  EvaluateSpec spec;
  ObjectReader reader = opened(json, true);
  const bool transformed = json.contains("transform");
  if (transformed) reader("transform", spec.transform);
  spec.set = read_set(json, reader, transformed);
  reader.finish();
  return spec;
}

SaliencySpec saliency_spec(const Json& json) {
  SaliencySpec spec;
  ObjectReader reader = opened(json, true);
  spec.set = read_set(json, reader, false);
  reader("images", spec.images);
  reader.finish();
  return spec;
}

}  // namespace remixer::experiments
