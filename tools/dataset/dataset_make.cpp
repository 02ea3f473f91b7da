// SPDX-License-Identifier: Apache-2.0
#include "tools/dataset/dataset_make.h"

#include <sys/resource.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "base/nearest_name.h"
#include "base/progress.h"
#include "core/builders/builder.h"
#include "core/builders/challenge_builder.h"
#include "core/dataset/dataset.h"
#include "core/dataset/published_sets.h"
#include "experiments/spec/components.h"
#include "tools/command/subcommand.h"

namespace remixer::data {

namespace {

// Adds "train_images=8000" as a member of `overrides`.
void add_override(const std::string& text, Json& overrides) {
  const size_t equals = text.find('=');
  const Json value = equals == std::string::npos ? Json()
                                                 : Json::parse(text.substr(equals + 1), nullptr,
                                                               /*allow_exceptions=*/false);
  if (!value.is_number_integer()) {
    fail_input("a parameter is given as NAME=NUMBER, not as \"{}\"", text);
  }
  overrides[text.substr(0, equals)] = value;
}

// The folder of that data set in a workspace.
fs::path folder_in_workspace(const fs::path& workspace, const experiments::DatasetSpec& spec) {
  return workspace / "datasets" / short_id(spec);
}

int build_whole(const BuildOptions& options, const experiments::DatasetSpec& spec) {
  const fs::path folder =
      options.output.empty() ? folder_in_workspace(options.workspace, spec) : options.output;
  if (options.output.empty() && fs::exists(folder / "manifest.json")) {
    fmt::print("{} is built already\n", folder.string());
    return kExitDone;
  }
  Progress progress("building");
  const double start = system_clock().monotonic();
  build_dataset(spec, folder, [&](int64_t done, int64_t total) { progress(done, total); });
  const Dataset train = Dataset::open(folder, "train");
  fmt::print("{}: built in {:.1f} s, content {}\n", folder.string(),
             system_clock().monotonic() - start, train.content_hash().substr(0, 16));
  return kExitDone;
}

void print_challenge(const ChallengeReport& report) {
  int64_t looked_at = 0;
  for (const int64_t count : report.outcomes) looked_at += count;
  fmt::print("read as {}: {} photographs looked at, {} passed every rule\n", report.layout,
             looked_at, report.outcomes[0]);
  for (size_t i = 1; i < report.outcomes.size(); ++i) {
    if (report.outcomes[i] == 0) continue;
    fmt::print("{:>8}  refused: {}\n", report.outcomes[i],
               rejection_text(static_cast<Rejection>(i)));
  }
  for (const std::string& broken : report.broken) fmt::print("broken: {}\n", broken);
  for (const auto& [split, images] : report.splits) fmt::print("{:>8}  {}\n", images, split);
}

// Speed of the whole build; images from a resumed part are not counted separately.
void print_speed(const ChallengeReport& report, double seconds) {
  struct rusage usage {};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto in_seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
  };
  int64_t images = 0, photographs = 0;
  for (const auto& [split, count] : report.splits) images += count;
  for (const int64_t count : report.outcomes) photographs += count;
  fmt::print(
      "{:.1f} s, {:.1f} of processors: {:.0f} photographs and {:.0f} images of all splits "
      "a second\n",
      seconds, in_seconds(usage.ru_utime) + in_seconds(usage.ru_stime),
      static_cast<double>(photographs) / seconds, static_cast<double>(images) / seconds);
}

// Builds ImageNet-9 or a similar set from a user's photographs.
int build_challenge_set(const BuildOptions& options, const experiments::DatasetSpec& spec) {
  if (options.from.empty()) {
    fail_input("{} is built from your own photographs: give --from FOLDER{}", options.builder,
               options.builder == "imagenet9" ? " and --boxes PATH" : "");
  }
  ChallengeJob job;
  job.spec = spec;
  job.photographs = options.from;
  job.boxes = options.boxes;
  job.in_workspace = options.output.empty();
  job.output = job.in_workspace ? options.workspace : options.output;
  job.name = options.name.empty() ? options.builder : options.name;
  job.replace = options.replace;
  Progress progress;
  job.on_progress = [&](const char* what, int64_t done, int64_t total) {
    progress(what, done, total);
  };
  const double start = system_clock().monotonic();
  const ChallengeReport report = build_challenge(job);
  print_challenge(report);
  print_speed(report, system_clock().monotonic() - start);
  fmt::print("{}: built{}\n", report.folder.string(),
             job.in_workspace
                 ? fmt::format("; in a grid: [dataset.{}] builder = \"imported\"", job.name)
                 : "");
  return kExitDone;
}

}  // namespace

CLI::App* add_build(CLI::App& app, BuildOptions& options) {
  CLI::App* build_app =
      app.add_subcommand("build",
                         "Build a data set: fashion-bg from installed packages, imagenet9 and "
                         "tiny-imagenet9 from your own photographs");
  tools::add_example(*build_app, "remixer dataset build fashion-bg train_images=2000");
  build_app->add_option("builder", options.builder, "Builder, such as fashion-bg")->required();
  build_app->add_option("parameters", options.parameters, "NAME=NUMBER, such as train_images=2000");
  build_app->add_option("--from", options.from,
                        "Folder of the photographs: ImageNet (train/, val/) or Tiny ImageNet");
  build_app->add_option("--boxes", options.boxes,
                        "Their boxes: a folder of PASCAL-VOC files, or a table");
  build_app->add_option("--name", options.name, "Name for grids [the builder's]");
  build_app->add_flag("--replace", options.replace, "Take the name from another data set");
  auto* output = build_app->add_option("--output", options.output, "Folder to create");
  tools::add_workspace(*build_app, options.workspace)->excludes(output);
  return build_app;
}

int run_build(const BuildOptions& options) {
  Json overrides = Json::object();
  for (const std::string& parameter : options.parameters) add_override(parameter, overrides);
  const auto spec = experiments::make_dataset_spec(options.builder, overrides);
  return experiments::find_dataset_builder(options.builder).from_own_files
             ? build_challenge_set(options, spec)
             : build_whole(options, spec);
}

CLI::App* add_import(CLI::App& app, ImportOptions& options) {
  CLI::App* import_app = app.add_subcommand(
      "import", "Import a data set in place; nothing is written beside its images");
  tools::add_example(*import_app, "remixer dataset import folder photos --hold-out 20");
  ImportJob& job = options.job;
  import_app
      ->add_option("kind", job.kind,
                   "What it is: `remixer dataset list` names them; or "
                   "`folder` for your own")
      ->required();
  import_app->add_option("folder", job.folder, "Where its images are")->required();
  import_app->add_option("--name", job.name, "Name for grids [the kind's]");
  import_app->add_option("--labels", job.labels, "ReaL's real.json");
  import_app->add_option("--boxes", job.boxes,
                         "Boxes of its objects: a folder of PASCAL-VOC files, or a table");
  import_app->add_option("--masks", job.masks,
                         "Folder of masks inside FOLDER, laid out as the images are (.png)");
  import_app
      ->add_option("--hold-out", options.hold_out_percent,
                   "Percent of a folder without splits that becomes its set \"val\"")
      ->check(CLI::Range(0.0, 90.0));
  import_app->add_flag("--skip-broken", job.skip_broken,
                       "Leave broken images out instead of importing nothing");
  std::string allowances;
  for (const auto& [name, what] : import_allowances()) {
    allowances += fmt::format("{}  {}: {}", allowances.empty() ? "" : "\n", name, what);
  }
  import_app
      ->add_option(
          "--allow", options.allow,
          "Accept what was not understood, as named in the report of the import:\n" + allowances)
      ->delimiter(',')
      ->check(CLI::Validator(
          [](const std::string& name) {
            std::vector<std::string> known;
            for (const auto& entry : import_allowances()) known.push_back(entry.first);
            return import_allowances().contains(name) ? std::string()
                                                      : unknown_name("allowance", name, known);
          },
          "WHAT", "allowance"));
  import_app->add_flag("--dry-run", job.dry_run, "Print only the report; write nothing");
  import_app->add_flag("--replace", job.replace, "Take the name from another data set");
  tools::add_workspace(*import_app, job.workspace);
  return import_app;
}

int run_import(ImportOptions options) {
  ImportJob& job = options.job;
  if (job.name.empty()) {
    job.name = job.kind;
    if (job.kind == "folder") {
      job.name = (fs::absolute(job.folder) / "").lexically_normal().parent_path().filename();
    }
  }
  job.hold_out = options.hold_out_percent / 100;
  job.allow = {options.allow.begin(), options.allow.end()};
  Progress progress;
  job.on_progress = [&](const char* what, int64_t done, int64_t total) {
    progress(what, done, total);
  };
  const double start = system_clock().monotonic();
  ImportAccount account;
  ImportReport report;
  try {
    report = import_dataset(job, account);
  } catch (const Error&) {
    if (account.seen > 0) fmt::print("{}", account_text(account));
    throw;
  }
  fmt::print("{}", account_text(report.account));
  if (report.released_count > 0) {
    fmt::print("{:>8}  rows as the released code counts: an image once for each of its labels\n",
               report.released_count);
  }
  for (const std::string& broken : report.broken) fmt::print("left out: {}\n", broken);
  for (const std::string& difference : report.differences) {
    fmt::print("differs from what was published: {}\n", difference);
  }
  if (job.dry_run) {
    fmt::print("nothing was written: this was a dry run\n");
    return kExitDone;
  }
  if (report.differences.empty() && job.kind != "folder") {
    fmt::print("as published, in every count\n");
  }
  fmt::print(
      "{}: imported in {:.1f} s, content {}; in a grid: [dataset.{}] builder = "
      "\"imported\"\n",
      report.folder.string(), system_clock().monotonic() - start, report.content_hash.substr(0, 16),
      job.name);
  return kExitDone;
}

}  // namespace remixer::data
