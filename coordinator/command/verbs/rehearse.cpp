// SPDX-License-Identifier: Apache-2.0
// `remixer rehearse`: runs a grid from data to tables on made-up data, in minutes.
#include "coordinator/command/verbs/rehearse.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <thread>

#include "base/child_process.h"
#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/installation.h"
#include "coordinator/command/ask/session.h"
#include "coordinator/command/ask/stop_signal.h"
#include "coordinator/command/show/progress.h"
#include "coordinator/command/show/report_output.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/dashboard_reports.h"
#include "coordinator/command/verbs/plan.h"
#include "coordinator/command/verbs/submit.h"
#include "coordinator/launch/share.h"
#include "coordinator/launch/slurm/jobs.h"
#include "experiments/outlook/rehearsal.h"

namespace remixer::coordinator::command {
namespace {

using experiments::Machine;
using experiments::RehearsalTerms;

struct RehearseOptions {
  PlanOptions plan;
  int ranks = WorkerOptions().count().ranks;
};

class Rehearsal {
 public:
  Rehearsal(const CommandLine& line, const RehearseOptions& options)
      : line_(line),
        options_(options),
        real_(experiments::outline_grid(options.plan.grid, line.workspace)),
        scratch_(fs::weakly_canonical(fs::absolute(line.workspace)) / "rehearsals" /
                 real_.file.name) {
    if (!options.plan.site.empty()) {
      site_ = slurm::read_site(read_file(options.plan.site), options.plan.site.string());
      slurm::require_slurm();
      machine_ = machine_of(*site_);
      terms_ = {.gpu = machine_.gpu, .ranks = site_->ranks_per_worker()};
    } else {
      const auto processors = std::max<int64_t>(1, std::thread::hardware_concurrency());
      const bool gpu = !own_gpus().empty();
      machine_ = {
          .gpu = gpu, .devices = gpu ? options.ranks : processors, .processors = processors};
      terms_ = {.gpu = gpu, .ranks = options.ranks};
    }
  }

  int run() {
    const double start = system_clock().monotonic();
    begin();
    const experiments::Grid grid = make_up();
    const std::optional<answers::Grid> ended = perform(grid);
    if (!ended) return kExitInterrupted;
    report(grid);
    const bool whole = ended->state == "done";
    const Json record = rehearsal_record(scratch_, real_.file.name, machine_, whole_);
    write_file_atomic(scratch_.string() + ".json", record.dump(2) + "\n");
    print_record(record);
    print(fmt::format("\n{}: {} of {} cells, {} tasks, {} in {:.1f} minutes\n\n", grid.name,
                      ended->cells_done, grid.cells.size(), grid.tasks.size(),
                      whole ? "all done" : "not all done",
                      (system_clock().monotonic() - start) / 60));
    print("The real thing, by these measurements where they are of such a machine:\n");
    CommandLine shown;
    shown.workspace = line_.workspace;
    print_plan(shown, options_.plan);
    if (!whole) {
      fail("the rehearsal of {} found what would fail: the tasks named above; their logs are in {}",
           real_.file.name, (scratch_ / "runs").string());
    }
    return kExitDone;
  }

 private:
  // The folder must be empty or from an earlier rehearsal.
  void begin() {
    const fs::path mark = scratch_ / "REHEARSAL.txt";
    std::error_code none;
    if (fs::exists(scratch_) && !fs::is_empty(scratch_, none)) {
      if (!fs::exists(mark)) {
        fail_input("{} is no rehearsal's folder; move it away", scratch_.string());
      }
      if (Session::find(scratch_)) {
        fail_input("a rehearsal of {} is under way in {}", real_.file.name, scratch_.string());
      }
      fs::remove_all(scratch_);
    }
    write_file_atomic(mark,
                      "A rehearsal of " + real_.file.name + ": made-up data. It may be removed.\n");
    std::string text = fmt::format("Rehearsing {} in {}. What is other than in the real thing:\n",
                                   real_.file.name, scratch_.string());
    for (const std::string& each : experiments::rehearsal_differences(real_.file, terms_)) {
      text += "  " + each + "\n";
    }
    print(text);
  }

  // Makes data and weights with the program that has LibTorch.
  experiments::Grid make_up() {
    const Json order = experiments::rehearsal_order(
        real_, line_.workspace, remixer::weights_folder(REMIXER_WEIGHTS_FOLDER), terms_);
    const fs::path order_file = scratch_ / "order.json", answer = scratch_ / "made.log";
    write_file_atomic(order_file, order.dump(2) + "\n");
    Command tools;
    tools.arguments = {(program_folder() / "remixer-tools").string(), "rehearsal",
                       order_file.string(), "--workspace", scratch_.string()};
    tools.log = answer;
    const pid_t child = start_child(tools);
    std::optional<int> code;
    while (!(code = child_ended(child))) {
      if (stop_.wait(0.05)) {
        kill_session(child);
        break;
      }
    }
    const std::string said = read_file_if_exists(answer).value_or("");
    if (!code) fail("interrupted");
    const size_t last = said.rfind("{\"weights\"");
    if (*code != 0 || last == said.npos) {
      fail("the rehearsal's data could not be made up (code {}): {}", *code, one_line_end(said));
    }
    const Json made = Json::parse(said.substr(last));
    std::map<std::string, std::string> pins;
    for (const Json& each : made.at("weights")) {
      pins[each.at("name")] = each.at("sha256");
      say_network(each);
    }
    for (const auto& [name, labeler] : real_.file.labelers) {
      for (const Json& each : made.at("weights")) {
        if (each.at("name") == (labeler.pinned.empty() ? name : labeler.pinned)) {
          whole_[name] = each.at("whole").get<bool>();
        }
      }
    }
    return experiments::rehearsal_grid(real_.file, scratch_, pins, terms_);
  }

  static std::string one_line_end(const std::string& text) {
    const size_t end = text.find_last_not_of('\n');
    const size_t begin = text.rfind('\n', end);
    return text.substr(begin == text.npos ? 0 : begin + 1,
                       end == text.npos ? 0 : end - (begin == text.npos ? 0 : begin));
  }

  void say_network(const Json& made) {
    const auto parameters = made.at("parameters").get<int64_t>();
    if (parameters == 0) return;
    print(fmt::format(
        "  weights {}: {} of {:.1f} million random parameters{}\n",
        made.at("name").get<std::string>(), "a network", static_cast<double>(parameters) / 1e6,
        made.at("whole").get<bool>() ? ""
                                     : ", smaller than the real one, whose time is not measured"));
  }

  // The grid at its end; nothing if it was interrupted.
  std::optional<answers::Grid> perform(const experiments::Grid& grid) {
    DaemonOptions options;
    options.workspace = scratch_;
    if (site_) options.address = "auto";
    options.reports = dashboard_reports(scratch_);
    Daemon daemon(options);
    daemon.start();
    Session session(daemon.access());
    const auto submitted = submit_grid(session, grid);
    print(submitted_text(grid.name, submitted) + "\n");
    if (site_) {
      session.post("/slurm/up",
                   {{"site", slurm::to_json(*site_)}, {"try_first", true}, {"reachable", true}});
    } else {
      daemon.start_workers(1, options_.ranks);
    }
    std::vector<std::string> sets;
    Progress progress(session, submitted.grid_id, sets, scratch_.string());
    const WatchResult result =
        watch_grid(session, scratch_, submitted.grid_id, progress, stop_, {.own = &daemon});
    progress.end();
    if (site_) session.post("/slurm/down", {{"let_run", false}});
    daemon.stop();
    daemon.wait();
    if (result.end == WatchEnd::kNoWorkers) fail("the workers do not start: {}", result.problem);
    return result.end == WatchEnd::kGridEnded ? std::optional(result.grid) : std::nullopt;
  }

  void report(const experiments::Grid& grid) {
    write_and_print_report(scratch_, grid.name);
    mark_report(report_folder(scratch_, grid.name));
    print("All figures above are a REHEARSAL's: they mean nothing.\n");
  }

  void print_record(const Json& record) {
    Table steps({{"model"},
                 {"labels"},
                 {"precision"},
                 {"batch"},
                 {"ms_a_step", Show::kFixed1},
                 {"ms_an_image", Show::kFixed1},
                 {"peak_memory_gib", Show::kFixed1}});
    for (const Json& row : record.at("training")) {
      const double batch = row.at("batch"), milliseconds = row.at("ms_a_step");
      const std::string prior = row.at("spatial_prior");
      steps.add_row(
          {row.at("architecture").get<std::string>() + (prior == "none" ? "" : " + " + prior),
           row.at("labels"), row.at("precision"), batch, milliseconds, milliseconds / batch,
           row.at("peak_memory_gib")});
    }
    Table labels({{"labeler"}, {"files"}, {"images"}, {"ms_an_image", Show::kFixed1}, {"network"}});
    for (const Json& row : record.at("labelling")) {
      const auto real = whole_.find(row.at("name"));
      labels.add_row({row.at("name"), row.at("files"), row.at("images"),
                      1000 / row.at("images_a_second").get<double>(),
                      real == whole_.end() || real->second ? "" : "a smaller one in its place"});
    }
    print("\nSteps of training (the second of two):\n" + steps.text(terminal_width()) +
          "\nLabels:\n" + labels.text(terminal_width()));
  }

  const CommandLine& line_;
  const RehearseOptions& options_;
  const StopSignal stop_;
  const experiments::OutlinedGrid real_;
  const fs::path scratch_;
  std::optional<slurm::Site> site_;
  Machine machine_;
  RehearsalTerms terms_;
  std::map<std::string, bool> whole_;  // by labeler: whether its real network ran
};

}  // namespace

void add_rehearse(CommandLine& line) {
  CLI::App* command =
      add_command(line, "rehearse",
                  "Run a whole grid on synthetic data, two steps per training: finds what would "
                  "break and measures how long the real run takes",
                  "remixer rehearse experiments/paper/imagenet9.toml --site my_site.toml");
  auto options = std::make_shared<RehearseOptions>();
  command->add_option("GRID", options->plan.grid, "The grid file")->required()->type_name("FILE");
  command
      ->add_option("--site", options->plan.site,
                   "Run on this cluster's workers, through Slurm [this machine]")
      ->type_name("FILE");
  command->add_option("--ranks", options->ranks, "MPI ranks of the local worker")
      ->check(CLI::Range(1, 1024))
      ->type_name("N")
      ->capture_default_str();
  command->callback([&line, options] {
    line.chosen = [&line, options] { return Rehearsal(line, *options).run(); };
  });
}

}  // namespace remixer::coordinator::command
