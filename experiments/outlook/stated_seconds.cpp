// SPDX-License-Identifier: Apache-2.0
#include "experiments/outlook/stated_seconds.h"

#include "base/error.h"
#include "experiments/outlook/rates.h"
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

CellSeconds of_cell(const Cell& cell) {
  const Rates rates{Machine{}};
  const double images = images_of(cell.dataset, "train") * (1 - cell.recipe.hold_out) *
                        static_cast<double>(cell.recipe.epochs);
  return {by_rate(images, rates.training(cell)),
          by_rate(images_of(cell.dataset, ""), rates.evaluation(cell))};
}

double of_task(const Task& task, const CellSeconds* cell) {
  switch (task.kind) {
    case TaskKind::kPrepare: {
      const Json dataset = task.spec.value("dataset", Json::object());
      return kTaskSeconds + kMadeImageSeconds * images_of(dataset, "train");
    }
    case TaskKind::kLabel: {
      const Json labeler = task.spec.value("labeler", Json());
      if (!labeler.is_object() || !labeler.contains("name")) return 0;
      const auto split = task.spec.value("split", std::string());
      const Json dataset = task.spec.value("dataset", Json::object());
      const auto side = dataset.value("builder", std::string()) == "fashion-bg" ? 32 : 0;
      return by_rate(images_of(dataset, split), Rates(Machine{}).labelling(labeler, "", side));
    }
    case TaskKind::kTrain:
      return cell ? cell->training : 0;
    case TaskKind::kEvaluate:
      return cell ? cell->evaluation : 0;
    case TaskKind::kSaliency:
      return cell ? kTaskSeconds : 0;
  }
  return 0;
}

// A daemon may be sent what its program does not know; it is for the worker to refuse it.
template <typename Ask>
auto or_not_known(const Ask& ask) -> decltype(ask()) {
  try {
    return ask();
  } catch (const Json::exception&) {
    return {};
  } catch (const InputError&) {
    return {};
  }
}

}  // namespace

CellSeconds stated_seconds(const Cell& cell) {
  return or_not_known([&] { return of_cell(cell); });
}

double stated_seconds(const Task& task, const CellSeconds* cell) {
  return or_not_known([&] { return of_task(task, cell); });
}

}  // namespace remixer::experiments
