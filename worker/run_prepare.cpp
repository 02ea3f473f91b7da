// SPDX-License-Identifier: Apache-2.0
#include <spdlog/spdlog.h>

#include "base/file.h"
#include "core/builders/builder.h"
#include "core/dataset/dataset.h"
#include "experiments/spec/imported.h"
#include "experiments/spec/task_result.h"
#include "experiments/spec/task_spec.h"
#include "worker/task_runner.h"

namespace remixer::worker {
namespace {

// Thrown from inside the builder, which can only be left by an exception.
struct Stopped {};

Json describe(const std::filesystem::path& folder, const std::string& published) {
  const auto manifest = Json::parse(read_file(folder / "manifest.json"));
  int64_t images = 0;
  for (const auto& [split, count] : manifest.at("splits").items()) images += count.get<int64_t>();
  return result_json(experiments::PrepareResult{
      published, manifest.at("content_sha256").get<std::string>(), images});
}

}  // namespace

TaskOutcome run_prepare(const TaskContext& context) {
  const auto spec = experiments::prepare_spec(context.assignment.task.spec).dataset;
  const std::string published = "datasets/" + short_id(spec);
  TaskOutcome outcome;
  outcome.finished = true;
  if (spec.name == experiments::kImportedBuilder) {
    data::check_imported(spec, context.workspace / published);
  }
  if (std::filesystem::exists(context.workspace / published / "manifest.json")) {
    spdlog::info("{} is there already", published);
    outcome.result = describe(context.workspace / published, published);
    return outcome;
  }
  const auto folder = context.folder() / "dataset";
  try {
    data::build_dataset(spec, folder, [&](int64_t done, int64_t total) {
      if (context.progress(done, total, "building dataset", {}) == training::Directive::kStop) {
        throw Stopped{};
      }
    });
  } catch (const Stopped&) {
    outcome.finished = false;
    return outcome;
  }
  outcome.result = describe(folder, published);
  outcome.publish.push_back({context.assignment.folder + "/dataset", published});
  return outcome;
}

}  // namespace remixer::worker
