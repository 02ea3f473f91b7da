// SPDX-License-Identifier: Apache-2.0
#include "experiments/outlook/stated_seconds.h"

#include "base/error.h"
#include "experiments/outlook/rates.h"
#include "experiments/spec/cell.h"
#include "experiments/spec/known_datasets.h"
#include "experiments/spec/task_spec.h"

namespace remixer::experiments {
namespace {

// An imported data set's spec has no image counts: assume about ImageNet-9's.
constexpr int64_t kTrainImages = 45405, kTestImages = 4050;
// Overhead per task: starting, reading the data set and the model, writing.
constexpr double kStatedTaskSeconds = 2;
constexpr double kMadeImageSeconds = 4e-3;  // per image of a data set that is built

double images_of(const DatasetSpec& dataset, const std::string& split) {
  const bool train = split == "train";
  if (const KnownDataset* known = find_known_dataset(dataset.name)) {
    for (const auto& [name, images] : known->splits) {
      if (name == split) return static_cast<double>(images);
    }
  }
  return static_cast<double>(train ? dataset.parameter("train_images", kTrainImages)
                                   : dataset.parameter("test_images", kTestImages));
}

double by_rate(double images, const Rate& rate) {
  return rate.images > 0 ? kStatedTaskSeconds + images / rate.images : 0;
}

Cell cell_of(const Json& spec) {
  return cell_from_json({{"identity", spec.at("cell")},
                         {"labeler_name", ""},
                         {"dataset_name", ""},
                         {"recipe_name", ""}});
}

double seconds_of(TaskKind kind, const Json& spec) {
  const Rates rates{Machine{}};
  switch (kind) {
    case TaskKind::kPrepare: {
      return kStatedTaskSeconds +
             kMadeImageSeconds * images_of(prepare_spec(spec).dataset, "train");
    }
    case TaskKind::kLabel: {
      const LabelSpec label = label_spec(spec);
      const auto side = label.dataset.name == "fashion-bg" ? 32 : 0;
      const double each = rates.labelling(label.labeler, "", side).processor_seconds;
      return by_rate(images_of(label.dataset, label.split), {each > 0 ? 1 / each : 0, {}});
    }
    case TaskKind::kTrain: {
      const Cell cell = cell_of(spec);
      const double images = images_of(cell.dataset, "train") * (1 - cell.recipe.hold_out) *
                            static_cast<double>(cell.recipe.epochs);
      return by_rate(images, rates.training(cell));
    }
    case TaskKind::kEvaluate: {
      const Cell cell = cell_of(spec);
      return by_rate(images_of(cell.dataset, ""), rates.evaluation(cell));
    }
    case TaskKind::kSaliency:
      return kStatedTaskSeconds;
  }
  return 0;
}

}  // namespace

double stated_seconds(TaskKind kind, const Json& spec) {
  // A daemon may receive specs that its program does not know; the worker rejects them.
  try {
    return seconds_of(kind, spec);
  } catch (const Json::exception&) {
    return 0;
  } catch (const InputError&) {
    return 0;
  }
}

}  // namespace remixer::experiments
