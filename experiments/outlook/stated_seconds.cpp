// SPDX-License-Identifier: Apache-2.0
#include "experiments/outlook/stated_seconds.h"

#include "base/error.h"
#include "experiments/outlook/rates.h"
#include "experiments/spec/cell.h"
#include "experiments/spec/known_datasets.h"

namespace remixer::experiments {
namespace {

// Of an imported data set the spec says no number: about ImageNet-9's.
constexpr double kTrainImages = 45405, kTestImages = 4050;
// Beside its images: starting, reading the data set and the model, writing.
constexpr double kTaskSeconds = 2;
constexpr double kMadeImageSeconds = 4e-3;  // of a data set that is built

double images_of(const Json& dataset, const std::string& split) {
  const bool train = split == "train";
  const auto builder = dataset.value("builder", std::string());
  if (const KnownDataset* known = find_known_dataset(builder)) {
    for (const auto& [name, images] : known->splits) {
      if (name == split) return static_cast<double>(images);
    }
  }
  return dataset.value(train ? "train_images" : "test_images", train ? kTrainImages : kTestImages);
}

double by_rate(double images, const Rate& rate) {
  return rate.images > 0 ? kTaskSeconds + images / rate.images : 0;
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
      const Json dataset = spec.value("dataset", Json::object());
      return kTaskSeconds + kMadeImageSeconds * images_of(dataset, "train");
    }
    case TaskKind::kLabel: {
      const Json labeler = spec.value("labeler", Json());
      if (!labeler.is_object() || !labeler.contains("name")) return 0;
      const auto split = spec.value("split", std::string());
      const Json dataset = spec.value("dataset", Json::object());
      const auto side = dataset.value("builder", std::string()) == "fashion-bg" ? 32 : 0;
      return by_rate(images_of(dataset, split), rates.labelling(labeler, "", side));
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
      return kTaskSeconds;
  }
  return 0;
}

}  // namespace

double stated_seconds(TaskKind kind, const Json& spec) {
  // A daemon may be sent what its program does not know; it is for the worker to refuse it.
  try {
    return seconds_of(kind, spec);
  } catch (const Json::exception&) {
    return 0;
  } catch (const InputError&) {
    return 0;
  }
}

}  // namespace remixer::experiments
