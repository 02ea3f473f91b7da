// SPDX-License-Identifier: Apache-2.0
// `remixer plan`: inputs and costs of a grid before it runs.
#include "coordinator/command/verbs/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <thread>

#include "base/error.h"
#include "base/file.h"
#include "base/installation.h"
#include "base/one_line.h"
#include "coordinator/command/ask/source.h"
#include "coordinator/command/show/plan_text.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/submit.h"
#include "coordinator/daemon/workspace.h"
#include "experiments/grid/grid_expansion.h"
#include "experiments/grid/grid_reader.h"
#include "experiments/outlook/outlook.h"
#include "experiments/spec/components.h"
#include "experiments/spec/pins.h"
#include "experiments/spec/task_spec.h"

namespace remixer::coordinator::command {
namespace {

using experiments::Machine;
using experiments::MissingInput;
using experiments::OutlinedGrid;
using experiments::Outlook;
using experiments::Task;
using experiments::TaskKind;

// Ids of finished tasks.
std::set<std::string> done_tasks(const fs::path& workspace) {
  std::set<std::string> done;
  std::error_code none;
  if (!fs::exists(database_file(workspace), none)) return done;
  Source source(workspace);
  for (const answers::TaskSummary& task : source.tasks()) {
    if (task.state == "done") done.insert(task.task_id);
  }
  return done;
}

fs::path installed_weights() {
  return remixer::weights_folder(REMIXER_WEIGHTS_FOLDER);
}

// The site stored in the workspace, if any.
std::optional<slurm::Site> kept_site(const fs::path& workspace) {
  const auto text = read_file_if_exists(workspace / "slurm.json");
  if (!text) return std::nullopt;
  const Json kept = Json::parse(*text, nullptr, /*allow_exceptions=*/false);
  if (!kept.is_object() || !kept.contains("site")) return std::nullopt;
  return slurm::site_from_json(kept.at("site"));
}

// Whether workers run elsewhere, with their own folders of weights.
bool weights_elsewhere(const fs::path& workspace) {
  const auto site = kept_site(workspace);
  if (!site) return false;
  const auto& variables = site->environment.variables;
  return !site->container.runtime.empty() ||
         std::any_of(variables.begin(), variables.end(), [](const std::string& variable) {
           return variable.starts_with("REMIXER_WEIGHTS=");
         });
}

// Checks the weights and maps of every labeler that still has labels to make.
class WeightsCheck {
 public:
  WeightsCheck(const OutlinedGrid& outlined, const fs::path& workspace)
      : workspace_(workspace), elsewhere_(weights_elsewhere(workspace)) {
    for (const MissingInput& missing : outlined.file.missing) named_.insert(missing.name);
    for (const auto& [name, labeler] : outlined.file.labelers) {
      if (labeler.spec) names_.emplace(*labeler.spec, std::pair{name, labeler.pinned});
    }
    std::optional<std::set<std::string>> done;
    for (const Task& task : outlined.grid.tasks) {
      if (task.kind != TaskKind::kLabel) continue;
      const auto spec = experiments::label_spec(task.spec);
      const auto file = missing_file(spec);
      if (!file) continue;
      if (!done) done = done_tasks(workspace);
      if (!done->contains(task.id())) note(spec.labeler, *file);
    }
  }

  std::vector<MissingInput> found;

 private:
  std::optional<fs::path> missing_file(const experiments::LabelSpec& spec) const {
    const std::string& name = spec.labeler.name;
    if (name == "saliency") return missing_installed("u2netp.safetensors");
    if (name == "relabel") return missing_installed("efficientnet_lite0.safetensors");
    const std::string& pin = experiments::find_labeler(name).pin;
    if (pin.empty()) return std::nullopt;
    const std::string sha256 = spec.labeler.hash(pin);
    if (name.starts_with("imported_")) {
      return missing_pinned("labels", sha256, "", spec.split + ".labels");
    }
    const bool script = name.starts_with("script_");
    return missing_pinned(script ? "script" : name, sha256, script ? ".toml" : ".safetensors", "");
  }
  std::optional<fs::path> missing_installed(const char* name) const {
    const fs::path file = installed_weights() / name;
    if (elsewhere_ || fs::exists(file)) return std::nullopt;
    return file;
  }
  std::optional<fs::path> missing_pinned(const std::string& kind, const std::string& sha256,
                                         const std::string& extension,
                                         const std::string& below) const {
    std::optional<fs::path> first;
    for (const fs::path& folder : {experiments::weights_folder(workspace_), installed_weights()}) {
      fs::path file = experiments::pinned_file(folder, kind, sha256, extension);
      if (!below.empty()) file /= below;
      if (fs::exists(file)) return std::nullopt;
      if (!first) first = file;
    }
    return elsewhere_ ? std::nullopt : first;
  }

  void note(const experiments::LabelerSpec& labeler, const fs::path& file) {
    const std::string& kind = labeler.name;
    const auto [name, pinned] = names_.at(labeler);
    const std::string shown = pinned.empty() ? name : pinned;
    if (!named_.insert(shown).second) return;
    const bool own = !experiments::find_labeler(kind).pin.empty();
    experiments::PinAdvice advice{"the packages that ./setup fetches", "./setup", 0.02};
    if (own) advice = experiments::pin_advice(kind, shown);
    found.push_back({"weights", shown, kind,
                     fmt::format("the weights of labeler '{}' are missing: {} is not there; {}",
                                 name, file.string(), advice.command),
                     advice.source, advice.command, advice.gigabytes});
  }

  const fs::path& workspace_;
  const bool elsewhere_;
  std::set<std::string> named_;
  // Names of a labeler in the grid and in the workspace.
  std::map<experiments::LabelerSpec, std::pair<std::string, std::string>> names_;
};

// Adds rates measured by rehearsals and benchmarks.
void add_measured(experiments::Rates& rates, const fs::path& workspace,
                  const std::vector<fs::path>& files) {
  const auto add = [&](const fs::path& file, const std::string& from) {
    const Json record = Json::parse(read_file(file), nullptr, /*allow_exceptions=*/false);
    if (record.is_discarded()) fail_input("{} is not JSON", file.string());
    rates.add(record, from);
  };
  std::vector<fs::path> records;
  std::error_code none;
  for (fs::directory_iterator each(workspace / "rehearsals", none), end; !none && each != end;
       each.increment(none)) {
    if (each->path().extension() == ".json") records.push_back(each->path());
  }
  std::sort(records.begin(), records.end());
  for (const fs::path& file : records) {
    add(file, fmt::format("rehearsal of {}", file.stem().string()));
  }
  for (const fs::path& file : files) add(file, file.string());
}

struct Prepared {
  OutlinedGrid outlined;
  std::vector<MissingInput> missing;
  Outlook outlook;
  Machine machine;
  bool from_site = false;
};

Prepared prepare_plan(const CommandLine& line, const PlanOptions& options) {
  Prepared plan;
  plan.outlined = experiments::outline_grid(options.grid, line.workspace);
  plan.missing = all_missing(plan.outlined, line.workspace);
  std::optional<slurm::Site> site;
  if (!options.site.empty()) {
    site = slurm::read_site(read_file(options.site), options.site.string());
  } else {
    site = kept_site(line.workspace);
  }
  plan.from_site = site.has_value();
  if (site) {
    plan.machine = machine_of(*site);
  } else {
    const auto processors = static_cast<int64_t>(std::max(1u, std::thread::hardware_concurrency()));
    plan.machine = {.devices = processors, .processors = processors};
  }
  experiments::Rates rates(plan.machine);
  add_measured(rates, line.workspace, options.rates);
  plan.outlook = experiments::look_ahead(plan.outlined, done_tasks(line.workspace), rates);
  return plan;
}

Json as_json(const Prepared& plan) {
  const Outlook& outlook = plan.outlook;
  Json missing = Json::array();
  for (const MissingInput& each : plan.missing) {
    missing.push_back({{"what", each.what},
                       {"name", each.name},
                       {"kind", each.kind},
                       {"problem", each.problem},
                       {"source", each.source},
                       {"command", each.command},
                       {"gigabytes", each.gigabytes}});
  }
  return {{"grid", plan.outlined.grid.name},
          {"cells", outlook.cells},
          {"cells_reused", outlook.cells_reused},
          {"tasks", outlook.tasks},
          {"tasks_reused", outlook.tasks_reused},
          {"tasks_to_run", outlook.tasks - outlook.tasks_reused},
          {"missing", missing},
          {"work", Json::parse(work_table(outlook, plan.machine.gpu, Reader::kProgram).json())},
          {"gpu", plan.machine.gpu},
          {"model", plan.machine.model},
          {"devices", plan.machine.devices},
          {"workers", plan.machine.workers},
          {"device_hours", outlook.device_hours},
          {"label_processor_hours", outlook.processor_hours},
          {"wall_hours", outlook.wall_hours},
          {"longest_training_hours", outlook.longest_hours},
          {"label_gigabytes", outlook.label_gigabytes},
          {"model_gigabytes", outlook.model_gigabytes},
          {"recipes", experiments::recipe_lines(plan.outlined.grid)},
          {"complete", outlook.whole}};
}

}  // namespace

experiments::Machine machine_of(const slurm::Site& site) {
  Machine machine;
  const int64_t ranks = site.ranks_per_worker();
  machine.processors = ranks * site.allocation.cpus_per_rank;
  machine.workers = site.queue.maximum * site.worker.workers;
  // As in the batch script: a rank trains on one GPU.
  machine.gpu = site.device() == "cuda";
  machine.devices = machine.gpu ? ranks : machine.processors;
  if (machine.gpu) machine.model = site.gpu_model();
  return machine;
}

std::vector<MissingInput> all_missing(const OutlinedGrid& outlined, const fs::path& workspace) {
  std::vector<MissingInput> missing = outlined.file.missing;
  const WeightsCheck check(outlined, workspace);
  missing.insert(missing.end(), check.found.begin(), check.found.end());
  return missing;
}

experiments::Grid read_ready_grid(const fs::path& file, const fs::path& workspace) {
  OutlinedGrid outlined = experiments::outline_grid(file, workspace);
  outlined.file.missing = all_missing(outlined, workspace);
  experiments::require_inputs(outlined.file);
  return std::move(outlined.grid);
}

ReadyFile read_ready_file(const fs::path& file, const fs::path& workspace) {
  const std::string text = read_file(file);
  try {
    OutlinedGrid few{{}, experiments::read_grid_file(text, file.string(), workspace)};
    const std::string name = few.file.name;
    // Inputs do not depend on the seeds, of which there may be very many.
    for (auto& block : few.file.cells) {
      if (block.seeds.size() > 1) block.seeds.resize(1);
    }
    few.grid = experiments::expand_grid(few.file);
    few.file.missing = all_missing(few, workspace);
    experiments::require_inputs(few.file);
    return {name, text, experiments::recipe_lines(few.grid)};
  } catch (const InputError& error) {
    throw InputError(one_line(error.what()));
  }
}

bool print_plan(const CommandLine& line, const PlanOptions& options) {
  const Prepared plan = prepare_plan(line, options);
  const Outlook& outlook = plan.outlook;
  if (line.format == Format::kJson) {
    print(as_json(plan).dump(2) + "\n");
  } else if (line.format == Format::kCsv) {
    print(work_table(outlook, plan.machine.gpu, Reader::kProgram).csv());
  } else {
    print(plan_heading(plan.outlined.grid.name, outlook) + "\n" +
          recipes_text(experiments::recipe_lines(plan.outlined.grid)) + "\n");
    print(work_table(outlook, plan.machine.gpu, Reader::kPerson).text(terminal_width()) + "\n");
    print(totals_text(outlook, plan.machine, plan.from_site) + "\n");
    print(missing_text(plan.missing));
  }
  return plan.missing.empty();
}

void add_plan(CommandLine& line) {
  CLI::App* command =
      add_command(line, "plan",
                  "Show what a grid needs before it runs: what is reused, what is missing and how "
                  "to get it, time and disk",
                  "remixer plan experiments/paper/imagenet9.toml --site my_site.toml");
  auto options = std::make_shared<PlanOptions>();
  command->add_option("GRID", options->grid, "The grid file")->required()->type_name("FILE");
  command
      ->add_option("--site", options->site,
                   "Site file of the cluster to estimate for [the workspace's]")
      ->type_name("FILE");
  command
      ->add_option("--rates", options->rates,
                   "Output of `remixer bench step --format json`; may be given several times")
      ->type_name("FILE")
      ->expected(1)
      ->take_all();
  add_format(line, command);
  command->callback([&line, options] {
    line.chosen = [&line, options] {
      print_plan(line, *options);
      return kExitDone;
    };
  });
}

}  // namespace remixer::coordinator::command
