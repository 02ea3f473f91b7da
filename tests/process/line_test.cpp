// SPDX-License-Identifier: Apache-2.0
// The whole line on a small grid: daemon, SQLite, mpirun with two ranks, GrabCut, tables.
#include <gtest/gtest.h>

#include "base/saliency_file.h"
#include "tests/process/grid_run.h"

namespace remixer::testing {
namespace {

constexpr int kFigures = 2 * 2 * 3 * 2;  // cells, weights, sets, metrics

// The database has its tables once the daemon listens.
bool training_has_begun(const fs::path& workspace) {
  return fs::exists(workspace / "access.json") &&
         count(workspace, "SELECT count(*) FROM metrics WHERE name = 'loss'") > 0;
}

constexpr const char* kSaliency = R"(
[saliency]
set = "original"
count = 5
seed = 1
)";

// Every cell's maps are of the same images; the picture is made of them.
void expect_saliency(const fs::path& workspace) {
  std::vector<SaliencyFile> maps;
  std::vector<std::string> draw{program("remixer"), "model", "saliency", "--output",
                                (workspace / "table4.png").string()};
  for (const auto& file : fs::recursive_directory_iterator(workspace / "runs")) {
    if (file.path().filename() != "saliency.safetensors") continue;
    maps.push_back(read_saliency(file.path()));
    draw.insert(draw.end(), {"--maps", file.path().string(), "--heading", "a model"});
  }
  ASSERT_EQ(maps.size(), 2u);
  EXPECT_EQ(maps[0].samples.size(), 5u);
  EXPECT_EQ(maps[0].samples, maps[1].samples);
  EXPECT_EQ(maps[0].images, maps[1].images);
  EXPECT_NE(maps[0].maps, maps[1].maps);
  EXPECT_EQ(maps[0].method, "chefer");
  EXPECT_NE(maps[0].patch_values.empty(), maps[1].patch_values.empty());
  const auto drawn = run_program(draw, workspace, 60);
  EXPECT_EQ(drawn.code, 0) << drawn.errors;
  EXPECT_TRUE(fs::exists(workspace / "table4.png"));
}

// A small copy without run folders, from which report and check give the same.
void expect_export(const fs::path& workspace, const fs::path& folder) {
  const auto remixer = [&](std::vector<std::string> arguments, const fs::path& of) {
    arguments.insert(arguments.begin(), REMIXER_PROGRAMS "/remixer");
    arguments.insert(arguments.end(), {"--workspace", of.string()});
    return run_program(arguments, of, 30);
  };
  const auto made = remixer({"export", folder.string()}, workspace);
  ASSERT_EQ(made.code, 0) << made.errors;
  EXPECT_NE(made.output.find("Read it as a workspace"), std::string::npos) << made.output;
  EXPECT_EQ(remixer({"export", folder.string()}, workspace).code, 2) << "it exists already";
  EXPECT_FALSE(fs::exists(folder / "runs"));
  for (const char* format : {"markdown", "csv"}) {
    const auto report = remixer({"report", "--format", format}, folder);
    EXPECT_EQ(report.code, 0) << report.errors;
    EXPECT_EQ(report.output, remixer({"report", "--format", format}, workspace).output);
  }
  const auto check = remixer({"report", "--check"}, folder);
  EXPECT_EQ(check.code, 0) << check.output << check.errors;
  EXPECT_NE(check.output.find("are packed"), std::string::npos) << check.output;
  const auto status = remixer({"status"}, folder);
  EXPECT_EQ(status.code, 0) << status.errors;
  EXPECT_NE(status.output.find("This is an export"), std::string::npos) << status.output;
  EXPECT_EQ(status.output.find("remixer up"), std::string::npos) << status.output;
  const std::vector<std::vector<std::string>> orders{{"up"}, {"gc"}, {"cancel", "small"}};
  for (const std::vector<std::string>& order : orders) {
    const auto refused = remixer(order, folder);
    EXPECT_EQ(refused.code, 2) << order[0] << ": nothing can be run there";
    EXPECT_NE(refused.errors.find("is an export"), std::string::npos) << refused.errors;
    EXPECT_NE(refused.errors.find("name another workspace"), std::string::npos) << refused.errors;
  }
  for (const char* name : {"labels", "logs", "models", "runs", "daemon.lock"}) {
    EXPECT_FALSE(fs::exists(folder / name)) << name;
  }
}

TEST(LineTest, GridBecomesTablesAndIsReusedAfterwards) {
  ScratchFolder folder("line");
  const std::string grid = small_grid() + kSaliency;
  const auto first = run_program(run_command(folder, grid), folder.path(), 200);
  ASSERT_EQ(first.code, 0) << first.output << first.errors;
  const fs::path workspace = folder / "workspace";
  EXPECT_EQ(figures(workspace).size(), static_cast<size_t>(kFigures));
  for (const auto& [name, value] : figures(workspace)) {
    EXPECT_GE(value, 0) << name;
    EXPECT_LE(value, 100) << name;
  }
  EXPECT_EQ(count(workspace, "SELECT min(n) FROM results"), 40);
  EXPECT_GT(count(workspace, "SELECT count(*) FROM metrics WHERE name = 'loss'"), 0);
  EXPECT_GT(count(workspace, "SELECT count(*) FROM metrics WHERE name = 'kappa.0'"), 0);
  EXPECT_EQ(count(workspace, "SELECT count(*) FROM runs WHERE state != 'done'"), 0);
  const fs::path reports = workspace / "reports" / "small";
  // The other tables compare models that this grid lacks.
  for (const char* name : {"index.html", "report.md", "table1.md", "table1.csv"}) {
    EXPECT_TRUE(fs::exists(reports / name)) << name;
  }
  EXPECT_NE(first.output.find("Table 1"), std::string::npos) << first.output;
  expect_saliency(workspace);
  expect_export(workspace, folder / "exported");

  const int64_t attempts = count(workspace, "SELECT count(*) FROM runs");
  const auto second = run_program(run_command(folder, grid), folder.path(), 30);
  EXPECT_EQ(second.code, 0) << second.errors;
  EXPECT_LT(second.seconds, 5);
  EXPECT_EQ(count(workspace, "SELECT count(*) FROM runs"), attempts);
}

// kill -9 of everything in the middle of training, then again: what is finished stays, what was cut
// goes on from its checkpoint, and every figure equals the undisturbed run's.
TEST(LineTest, KilledRunGoesOnToTheSameFigures) {
  ScratchFolder undisturbed("line-whole"), disturbed("line-killed");
  const std::string grid = small_grid(6);
  const auto whole = run_program(run_command(undisturbed, grid), undisturbed.path(), 250);
  ASSERT_EQ(whole.code, 0) << whole.errors;

  const fs::path workspace = disturbed / "workspace";
  {
    Program cut(run_command(disturbed, grid), disturbed.path());
    ASSERT_TRUE(eventually([&] { return training_has_begun(workspace); }, 100))
        << cut.output() << cut.errors();
    cut.signal(SIGKILL);
    cut.wait();
  }
  const auto resumed = run_program(run_command(disturbed, grid), disturbed.path(), 250);
  ASSERT_EQ(resumed.code, 0) << resumed.output << resumed.errors;
  EXPECT_EQ(figures(workspace), figures(undisturbed / "workspace"));
  const auto points = curves(undisturbed / "workspace");
  for (const auto& [name, value] : curves(workspace)) {
    ASSERT_TRUE(points.contains(name)) << name;
    EXPECT_EQ(value, points.at(name)) << name;
  }
  EXPECT_GE(curves(workspace).size() + 2, points.size()) << "a report may be lost with each cut";
  EXPECT_GT(curves(workspace).size(), 4u);
  EXPECT_GT(count(workspace, "SELECT count(*) FROM runs WHERE state != 'done'"), 0);
}

TEST(LineTest, InterruptedRunStopsSoonAndGoesOn) {
  ScratchFolder folder("line-interrupted");
  const fs::path workspace = folder / "workspace";
  const std::string grid = small_grid(6);
  {
    Program cut(run_command(folder, grid), folder.path());
    ASSERT_TRUE(eventually([&] { return training_has_begun(workspace); }, 100))
        << cut.output() << cut.errors();
    const auto asked = std::chrono::steady_clock::now();
    cut.signal(SIGINT);
    const auto ended = cut.wait(30);
    EXPECT_EQ(ended.code, 130) << ended.errors;
    EXPECT_LT(std::chrono::duration<double>(std::chrono::steady_clock::now() - asked).count(), 20);
  }
  // The attempt that was stopped left a checkpoint, and gave its task back.
  EXPECT_EQ(count(workspace, "SELECT count(*) FROM runs WHERE state = 'running'"), 0);
  const auto resumed = run_program(run_command(folder, grid), folder.path(), 250);
  EXPECT_EQ(resumed.code, 0) << resumed.errors;
  EXPECT_EQ(figures(workspace).size(), static_cast<size_t>(kFigures));
}

// `down` returns when the workspace is free, so that the next command may be `up`.
TEST(LineTest, DownLeavesTheWorkspaceToTheNextDaemon) {
  ScratchFolder folder("line-down");
  const fs::path workspace = folder / "workspace";
  write_file_atomic(folder / "grid.toml", small_grid());
  const auto remixer = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {program("remixer"), "--workspace", workspace.string()});
    return arguments;
  };
  for (int life = 0; life < 5; ++life) {
    Program daemon(remixer({"up", "--workers", "0"}), folder.path());
    ASSERT_TRUE(eventually([&] { return fs::exists(workspace / "access.json"); }))
        << life << daemon.errors();
    const auto grid =
        run_program(remixer({"submit", (folder / "grid.toml").string()}), folder.path());
    ASSERT_EQ(grid.code, 0) << grid.errors;
    // Nobody says yes.
    EXPECT_NE(run_program(remixer({"rm", "small"}), folder.path()).code, 0);
    EXPECT_EQ(count(workspace, "SELECT count(*) FROM grid"), 1);
    const auto down = run_program(remixer({"down"}), folder.path());
    ASSERT_EQ(down.code, 0) << down.errors;
    EXPECT_FALSE(fs::exists(workspace / "access.json")) << life;
    // Not after the first daemon's process is gone, but now.
    Program next(remixer({"up", "--workers", "0"}), folder.path());
    ASSERT_TRUE(eventually([&] { return fs::exists(workspace / "access.json"); }))
        << life << next.errors();
    EXPECT_EQ(run_program(remixer({"down"}), folder.path()).code, 0);
    EXPECT_EQ(daemon.wait(30).code, 0);
    EXPECT_EQ(next.wait(30).code, 0) << next.errors();
  }
}

// Every order works on a workspace whose daemon has ended, too.
TEST(LineTest, OrdersNeedNoDaemon) {
  ScratchFolder folder("line-orders");
  const fs::path workspace = folder / "workspace";
  write_file_atomic(folder / "grid.toml", small_grid());
  const auto remixer = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {program("remixer"), "--workspace", workspace.string()});
    return arguments;
  };
  Program daemon(remixer({"up", "--workers", "0"}), folder.path());
  ASSERT_TRUE(eventually([&] { return fs::exists(workspace / "access.json"); })) << daemon.errors();
  const std::vector<std::string> submit{"submit", (folder / "grid.toml").string()};
  ASSERT_EQ(run_program(remixer(submit), folder.path()).code, 0);
  const auto down = run_program(remixer({"down"}), folder.path());
  ASSERT_EQ(down.code, 0) << down.errors;
  EXPECT_EQ(down.output,
            "The daemon has ended; `remixer up` or `remixer run` continues from there.\n");
  EXPECT_EQ(daemon.wait(30).code, 0);
  const auto status = run_program(remixer({"status"}), folder.path());
  EXPECT_NE(status.output.find("  time_left\n"), std::string::npos) << status.output;
  EXPECT_NE(status.output.find("`remixer run` continues.\n"), std::string::npos) << status.output;
  const std::vector<std::vector<std::string>> orders{{"pause", "small"},
                                                     {"resume", "small"},
                                                     {"limit", "small", "--priority", "3"},
                                                     {"cancel", "small"},
                                                     {"retry", "small"},
                                                     {"gc", "--dry-run"},
                                                     {"gc"},
                                                     {"backup", (folder / "copy.db").string()},
                                                     {"rm", "small", "--yes"}};
  for (const std::vector<std::string>& order : orders) {
    const auto done = run_program(remixer(order), folder.path());
    EXPECT_EQ(done.code, 0) << order[0] << ": " << done.output << done.errors;
    if (order[0] == "limit") {
      EXPECT_EQ(done.output,
                "small: priority 3; tasks at once: no limit; training needs ranks: no limit, GPUs: "
                "no limit\n");
    }
    if (order[0] == "pause") {
      EXPECT_NE(done.output.find("`remixer resume small` continues it.\n"), std::string::npos);
    }
  }
  EXPECT_EQ(count(workspace, "SELECT count(*) FROM grid"), 0);
}

// A result waits for its daemon, but not for ever: it is on the disk.
TEST(LineTest, WorkerWhoseDaemonNeverComesBackEnds) {
  ScratchFolder folder("line-alone");
  const fs::path workspace = folder / "workspace";
  write_file_atomic(folder / "grid.toml", small_grid());
  Program daemon({program("remixer"), "--workspace", workspace.string(), "up", "--workers", "0"},
                 folder.path());
  ASSERT_TRUE(eventually([&] { return fs::exists(workspace / "access.json"); })) << daemon.errors();
  const auto submitted = run_program({program("remixer"), "--workspace", workspace.string(),
                                      "submit", (folder / "grid.toml").string()},
                                     folder.path());
  ASSERT_EQ(submitted.code, 0) << submitted.errors;
  Program worker({program("remixer-worker"), "--access", (workspace / "access.json").string(),
                  "--result-patience", "3", "--patience", "1"},
                 folder.path());
  const auto files_of_attempts = [&](const std::string& name) {
    size_t found = 0;
    for (const auto& file : fs::recursive_directory_iterator(workspace / "runs")) {
      found += file.path().filename() == name;
    }
    return found;
  };
  ASSERT_TRUE(eventually([&] { return files_of_attempts("log.txt") == 1; }, 60)) << worker.errors();
  daemon.signal(SIGKILL);
  const auto ended = worker.wait(60);
  EXPECT_NE(ended.output.find("no daemon for 3 s"), std::string::npos)
      << ended.output << ended.errors;
  EXPECT_EQ(files_of_attempts("result.json"), 1u);
}

// docs/extending.md: an architecture of a user's own is trained, killed, resumed and tabled.
TEST(LineTest, ExtensionIsLikeTheBuiltInModels) {
  ScratchFolder folder("line-extension");
  const fs::path workspace = folder / "workspace";
  const std::string grid = small_grid(4, "hybrid_nano_patch4_32");
  {
    Program cut(run_command(folder, grid), folder.path());
    ASSERT_TRUE(eventually([&] { return training_has_begun(workspace); }, 100))
        << cut.output() << cut.errors();
    cut.signal(SIGKILL);
    cut.wait();
  }
  const auto resumed = run_program(run_command(folder, grid), folder.path(), 250);
  ASSERT_EQ(resumed.code, 0) << resumed.output << resumed.errors;
  EXPECT_EQ(figures(workspace).size(), static_cast<size_t>(kFigures));
  EXPECT_GT(count(workspace, "SELECT max(value) > 0 FROM metrics WHERE name LIKE 'kappa.%'"), 0);
  const std::string table = read_file(workspace / "reports/small/table1.md");
  EXPECT_NE(table.find("hybrid_nano_patch4_32"), std::string::npos) << table;
  EXPECT_NE(table.find("Bbox+GrabCut"), std::string::npos) << table;
}

}  // namespace
}  // namespace remixer::testing
