// SPDX-License-Identifier: Apache-2.0
// `remixer gc`: deletes files that no result and no attempt needs.
#include <fmt/format.h>

#include <map>

#include "base/error.h"
#include "coordinator/command/ask/session.h"
#include "coordinator/command/show/terminal.h"
#include "coordinator/command/verbs/command.h"
#include "experiments/protocol/order_answers.h"

namespace remixer::coordinator::command {
namespace {

using experiments::protocol::answers::Collected;
using experiments::protocol::answers::Garbage;

struct GcOptions {
  int64_t quota = 0;
  bool with_quota = false;
  bool dry_run = false;
  bool unknown = false;
};

std::string size_text(int64_t bytes) {
  constexpr const char* kUnits[] = {"bytes", "kB", "MB", "GB", "TB"};
  double value = static_cast<double>(bytes);
  size_t unit = 0;
  while (value >= 1000 && unit + 1 < std::size(kUnits)) value /= 1000, ++unit;
  return unit == 0 ? fmt::format("{} bytes", bytes) : fmt::format("{:.1f} {}", value, kUnits[unit]);
}

const char* reason_text(Garbage why) {
  switch (why) {
    case Garbage::kRemoved:
      return "of removed tasks";
    case Garbage::kSuperseded:
      return "checkpoints that something later has replaced";
    case Garbage::kRefused:
      return "models of attempts whose result was not taken";
    case Garbage::kStuck:
      return "checkpoints of failed and cancelled tasks";
    case Garbage::kUnknown:
      return "run folders that the database does not know";
  }
  return "";
}

std::string summary(const Collected& collected) {
  struct Sum {
    int64_t count = 0, bytes = 0;
  };
  std::map<Garbage, Sum> sums;
  for (const Collected::Item& item : collected.items) {
    Sum& sum = sums[item.why];
    ++sum.count;
    sum.bytes += item.bytes;
  }
  std::string text;
  for (const auto& [why, sum] : sums) {
    text += fmt::format("  {:>10}  {} {}\n", size_text(sum.bytes), sum.count, reason_text(why));
  }
  text += fmt::format("{} {} of {}.\n", collected.dry_run ? "Would free" : "Freed",
                      size_text(collected.freed_bytes), size_text(collected.used_bytes));
  if (collected.unknown_folders > 0) {
    text += fmt::format(
        "{} run folders ({}) are of tasks that this database does not know; they are left alone. "
        "`remixer adopt GRID...` reads their results back, `remixer gc --unknown` deletes them.\n",
        collected.unknown_folders, size_text(collected.unknown_bytes));
  }
  const auto quota = collected.quota_bytes;
  if (quota && collected.used_bytes - collected.freed_bytes > *quota) {
    text += fmt::format(
        "The quota of {} is still exceeded: what is left are results, datasets and what runs; "
        "`remixer rm` removes tasks and grids.\n",
        size_text(*quota));
  }
  return text;
}

int gc(const CommandLine& line, const GcOptions& options) {
  SessionOrDaemon daemon = open_existing(line.workspace);
  Json body = {{"dry_run", options.dry_run}, {"unknown", options.unknown}};
  if (options.with_quota) body["quota_bytes"] = options.quota;
  const auto collected = daemon.session().order<Collected>("/gc", body);
  if (line.format == Format::kJson) {
    print(to_json(collected).dump(1) + "\n");
    return kExitDone;
  }
  if (line.format == Format::kCsv || options.dry_run) {
    Table table({{"bytes"}, {"why"}, {"path"}, {"task"}});
    for (const Collected::Item& item : collected.items) {
      table.add_row({item.bytes, to_string(item.why), item.path, item.task});
    }
    print(table.as(line.format, terminal_width()));
    if (line.format == Format::kCsv) return kExitDone;
    print("\n");
  }
  print(summary(collected));
  return kExitDone;
}

}  // namespace

void add_gc(CommandLine& line) {
  CLI::App* command =
      add_command(line, "gc", "Delete files that no result and no running task needs",
                  "remixer gc --dry-run\n  remixer gc --quota 500GB");
  auto options = std::make_shared<GcOptions>();
  command->add_flag("--dry-run,-n", options->dry_run, "List what would be deleted; delete nothing");
  command->add_flag("--unknown", options->unknown,
                    "Also delete run folders of tasks that the database does not know");
  CLI::Option* quota =
      command
          ->add_option("--quota", options->quota,
                       "Delete only until the workspace is this small, for example 500GB; may also "
                       "delete checkpoints of failed tasks")
          ->transform(CLI::AsSizeValue(true))
          ->type_name("SIZE");
  add_format(line, command);
  command->callback([&line, options, quota] {
    options->with_quota = quota->count() > 0;
    line.chosen = [&line, options] { return gc(line, *options); };
  });
}

}  // namespace remixer::coordinator::command
