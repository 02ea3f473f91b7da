// SPDX-License-Identifier: Apache-2.0
// Sites, and the scripts that are made of them.
#include "coordinator/launch/slurm/site.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "base/capture_output.h"
#include "base/file.h"
#include "coordinator/launch/slurm/script.h"
#include "tests/coordinator/support.h"

namespace remixer::coordinator::slurm {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

std::string refusal(const std::string& text) {
  try {
    read_site(text, "site.toml");
  } catch (const InputError& error) {
    return error.what();
  }
  ADD_FAILURE() << "was taken: " << text;
  return "";
}

std::string script_of(const std::string& text) {
  return allocation_script(read_site(text, "site.toml"),
                           {"/shared/my work", "/shared/my work/access.json", "/opt/bin/remixer"});
}

TEST(SiteTest, TimeLimitsInSlurmsForms) {
  EXPECT_EQ(limit_seconds("90"), 5400);
  EXPECT_EQ(limit_seconds("5:30"), 330);
  EXPECT_EQ(limit_seconds("1:30:00"), 5400);
  EXPECT_EQ(limit_seconds("2-12"), 216000);
  EXPECT_EQ(limit_seconds("1-00:30"), 88200);
  EXPECT_EQ(limit_seconds("1-00:00:10"), 86410);
  for (const char* text : {"", "UNLIMITED", "1:2:3:4", "-1", "1-", "one", "1::2", "0", "1.5"}) {
    EXPECT_THROW(limit_seconds(text), InputError) << text;
  }
}

TEST(SiteTest, MistakesAreNamedWithTheirLine) {
  EXPECT_THAT(refusal("[alocation]\n"), AllOf(HasSubstr("site.toml:1"), HasSubstr("'allocation'")));
  EXPECT_THAT(refusal("[queue]\nmaximun = 3\n"),
              AllOf(HasSubstr("site.toml:2"), HasSubstr("'maximum'")));
  EXPECT_THAT(refusal("[queue]\nmaximum = \"3\"\n"),
              AllOf(HasSubstr("site.toml:2"), HasSubstr("queue.maximum must be an integer")));
  EXPECT_THAT(refusal("[allocation\n"), HasSubstr("site.toml:1"));
  EXPECT_THAT(refusal("allocation = 3\n"), HasSubstr("[allocation]"));
  EXPECT_THAT(refusal("[environment]\nmodules = \"cuda\"\n"), HasSubstr("a list of texts"));
  EXPECT_THAT(refusal("[queue]\nmaximum = 0\n"), HasSubstr("queue.maximum"));
  EXPECT_THAT(refusal("[allocation]\ntime = \"forever\"\n"), HasSubstr("forever"));
  EXPECT_THAT(refusal("[allocation]\ntime = \"1\"\n"), HasSubstr("checkpoint_seconds"));
  EXPECT_THAT(refusal("[allocation]\npartition = \"a b\"\n"), HasSubstr("allocation.partition"));
  EXPECT_THAT(refusal("[allocation]\noptions = [\"exclusive\"]\n"), HasSubstr("--name=value"));
  EXPECT_THAT(refusal("[worker]\nlauncher = \"mpiexec\"\n"), HasSubstr("known are: srun, mpirun"));
  EXPECT_THAT(refusal("[worker]\nworkers = 2\n"), HasSubstr("does not divide"));
  EXPECT_THAT(refusal("[worker]\nworkers = 2\n[allocation]\nnodes = 2\n"), HasSubstr("nodes = 1"));
  EXPECT_THAT(refusal("[environment]\nvariables = [\"A B=c\"]\n"), HasSubstr("A B=c"));
  EXPECT_THAT(refusal("[container]\nruntime = \"docker\"\nimage = \"i\"\n"), HasSubstr("docker"));
  EXPECT_THAT(refusal("[container]\nruntime = \"apptainer\"\n"), HasSubstr("container.image"));
}

TEST(SiteTest, TravelsAsJsonUnchanged) {
  Site site = read_site("[allocation]\npartition = \"gpu\"\n[queue]\nmaximum = 9\n", "site.toml");
  site.environment.modules = {"a", "b"};
  const Site back = site_from_json(to_json(site));
  EXPECT_EQ(to_json(back), to_json(site));
  EXPECT_EQ(back.allocation.partition, "gpu");
  EXPECT_EQ(back.queue.maximum, 9);
  EXPECT_THROW(site_from_json({{"queue", 1}}), InputError);
}

TEST(ScriptTest, AsksForWhatTheSiteSays) {
  const std::string script = script_of(
      "[allocation]\npartition = \"gpu\"\naccount = \"vision\"\ngres = \"gpu:a100:4\"\n"
      "time = \"12:00:00\"\nnodes = 2\nranks_per_node = 4\ncpus_per_rank = 3\n"
      "options = [\"--exclude=n13\"]\n"
      "[environment]\nmodules = [\"cuda/13\"]\nvariables = [\"NOTE=it's mine\"]\n");
  for (const char* line :
       {"#!/bin/bash\n", "#SBATCH --partition=gpu\n", "#SBATCH --account=vision\n",
        "#SBATCH --gres=gpu:a100:4\n", "#SBATCH --time=12:00:00\n", "#SBATCH --nodes=2\n",
        "#SBATCH --ntasks-per-node=4\n", "#SBATCH --cpus-per-task=3\n", "#SBATCH --exclude=n13\n",
        "#SBATCH --signal=B:USR2@120\n", "#SBATCH --requeue\n", "module load cuda/13\n",
        "export NOTE='it'\\''s mine'\n", "srun --mpi=pmix", "--ntasks=8", "seconds=43200\n",
        "'/shared/my work/access.json'"}) {
    EXPECT_THAT(script, HasSubstr(line));
  }
  EXPECT_THAT(script, Not(HasSubstr("--qos")));
}

TEST(ScriptTest, WorkersSideBySideShareTheAllocation) {
  const std::string script =
      script_of("[allocation]\ngres = \"gpu:4\"\nranks_per_node = 4\n[worker]\nworkers = 2\n");
  EXPECT_THAT(script, AllOf(HasSubstr("workers=2\n"), HasSubstr("--ntasks=2"), HasSubstr("--exact"),
                            HasSubstr("--gres=gpu:2")));
}

TEST(ScriptTest, AnAllocationThatAskedForGpusMustNotTrainOnTheCpu) {
  EXPECT_THAT(script_of("[allocation]\ngres = \"gpu\"\n"), HasSubstr("--device cuda"));
  EXPECT_THAT(script_of("[allocation]\ngres = \"nvme:1,gpu:a100:2\"\n"),
              HasSubstr("--device cuda"));
  EXPECT_THAT(script_of("[allocation]\noptions = [\"--gpus-per-task=1\"]\n"),
              HasSubstr("--device cuda"));
  EXPECT_THAT(script_of("[allocation]\ngres = \"nvme:1\"\n"), HasSubstr("--device auto"));
  EXPECT_THAT(script_of("[allocation]\ngres = \"gpu:1\"\n[worker]\ndevice = \"cpu\"\n"),
              HasSubstr("--device cpu"));
  EXPECT_THAT(refusal("[worker]\ndevice = \"gpu\"\n"), HasSubstr("unknown value 'gpu'"));
  EXPECT_THAT(refusal("[allocation]\ngres = \"gpu:2\"\nranks_per_node = 4\n"),
              HasSubstr("ranks_per_node = 4 ranks have 2 GPUs between them"));
}

// By gres or by options, in every form that sbatch takes.
TEST(SiteTest, CountsTheGpusOfANode) {
  using Options = std::vector<std::string>;
  const auto site = [](const std::string& gres, const Options& options) {
    Site made;
    made.allocation.nodes = 2;
    made.allocation.ranks_per_node = 4;
    made.allocation.gres = gres;
    made.allocation.options = options;
    return made;
  };
  const auto gpus = [&](const std::string& gres, const Options& options) {
    return site(gres, options).gpus_per_node();
  };
  for (const char* option :
       {"--gres=gpu:4", "--gres=nvme:1,gpu:h100:4", "--gres gpu:4", "--gpus-per-node=4",
        "--gpus-per-node=h100:4", "--gpus-per-node 4", "--gpus=8", "--gpus=h100:8", "-G 8", "-G8",
        "--gpus-per-task=1", "--exclusive --gpus-per-task=1"}) {
    EXPECT_EQ(gpus("", {option}), 4) << option;
    EXPECT_EQ(site("", {option}).device(), "cuda") << option;
  }
  EXPECT_EQ(gpus("nvme:1,gpu:4", {}), 4);
  EXPECT_EQ(gpus("gpu:8", {"--gpus-per-task=1"}), 8);
  EXPECT_EQ(gpus("gpu:2", {"--gres=gpu:4"}), 4) << "sbatch takes the last";
  EXPECT_EQ(gpus("", {"--gpus-per-socket=2", "--gpus-per-node=4"}), 4);
  for (const char* option : {"--gpus-per-socket=2", "--gpus=7"}) {
    EXPECT_FALSE(gpus("", {option}).has_value()) << option;
    EXPECT_EQ(site("", {option}).device(), "cuda") << option;
  }
  for (const char* option : {"--exclusive", "--gres=nvme:1", "--gpu-bind=single:1"}) {
    EXPECT_EQ(gpus("", {option}), 0) << option;
    EXPECT_EQ(site("", {option}).device(), "auto") << option;
  }
  EXPECT_EQ(site("nvme:1,gpu:h100:4", {}).gpu_model(), "h100");
  EXPECT_EQ(site("", {"--gpus-per-node=a100:4"}).gpu_model(), "a100");
  EXPECT_EQ(site("gpu:4", {}).gpu_model(), "");
  EXPECT_THAT(refusal("[allocation]\noptions = [\"--gpus-per-node=2\"]\nranks_per_node = 4\n"),
              HasSubstr("ranks_per_node = 4 ranks have 2 GPUs between them"));
}

TEST(ScriptTest, ReadersFollowTheCoresUnlessTheSiteSaysOtherwise) {
  EXPECT_THAT(script_of(""), HasSubstr("--loader-threads 0"));
  EXPECT_THAT(script_of("[worker]\nloader_threads = 7\n"), HasSubstr("--loader-threads 7"));
}

// The script itself, under a mpirun that shows what it was given.
TEST(ScriptTest, WorkersUnderMpirunShareTheGpusOut) {
  coordinator::testing::TemporaryFolder folder;
  write_file_atomic(
      folder.path / "mpirun",
      "#!/bin/bash\necho \"gpus $CUDA_VISIBLE_DEVICES cores $REMIXER_CORES_PER_RANK\"\n"
      "echo \"workers $REMIXER_WORKERS_HERE\"\n",
      0755);
  const auto gpus_of = [&](int workers, const std::string& visible) {
    const Site site = read_site(
        fmt::format("[allocation]\ngres = \"gpu:4\"\nranks_per_node = 4\ncpus_per_rank = 3\n"
                    "[worker]\nlauncher = \"mpirun\"\nworkers = {}\n",
                    workers),
        "site.toml");
    write_file_atomic(folder.path / "script.sh",
                      allocation_script(site, {folder.path, folder.path / "a", "/opt/remixer"}));
    const Captured done = run_captured(
        {"env", "PATH=" + folder.path.string() + ":/usr/bin:/bin", "SLURM_JOB_ID=1",
         "CUDA_VISIBLE_DEVICES=" + visible, "bash", (folder.path / "script.sh").string()},
        30);
    EXPECT_EQ(done.code, 0) << done.errors;
    return done.output;
  };
  EXPECT_THAT(gpus_of(2, "0,1,2,3"), AllOf(HasSubstr("gpus 0,1 cores 3"),
                                           HasSubstr("gpus 2,3 cores 3"), HasSubstr("workers 2")));
  EXPECT_THAT(gpus_of(4, "4,5,6,7"), AllOf(HasSubstr("gpus 4 "), HasSubstr("gpus 7 ")));
  EXPECT_THAT(gpus_of(1, "0,1,2,3"), HasSubstr("gpus 0,1,2,3 "));
  EXPECT_THAT(gpus_of(4, "0,1"), AllOf(HasSubstr("gpus 0 "), HasSubstr("gpus 1 ")));
  EXPECT_THAT(gpus_of(4, ""), Not(HasSubstr("gpus 0")));
}

TEST(ScriptTest, ContainersAndMpirun) {
  const std::string apptainer = script_of(
      "[container]\nruntime = \"apptainer\"\nimage = \"/i.sif\"\noptions = [\"--nv\"]\n"
      "mounts = [\"/data\"]\n");
  EXPECT_THAT(apptainer, HasSubstr("worker=(apptainer exec --nv --bind /data --bind "
                                   "'/shared/my work' /i.sif /opt/bin/remixer-worker"));
  const std::string pyxis = script_of("[container]\nruntime = \"pyxis\"\nimage = \"repo#image\"\n");
  EXPECT_THAT(pyxis, AllOf(HasSubstr("'--container-image=repo#image'"),
                           HasSubstr("'--container-mounts=/shared/my work:/shared/my work'")));
  EXPECT_THAT(script_of("[worker]\nlauncher = \"mpirun\"\n[allocation]\nnodes = 2\n"
                        "ranks_per_node = 3\n"),
              HasSubstr("mpirun -n 6 --bind-to none --map-by ppr:3:node"));
}

// sbatch takes such a line apart as a shell does.
TEST(ScriptTest, WorkspaceMayHaveABlankInItsName) {
  const ScriptPaths paths{"/scratch/my study", "/scratch/my study/access.json", "/opt/remixer"};
  EXPECT_THAT(allocation_script(Site(), paths),
              HasSubstr("#SBATCH --output=\"/scratch/my study/logs/slurm/%j.log\"\n"));
  EXPECT_THAT(daemon_script(Site(), paths, "/scratch/my site.toml"),
              HasSubstr("#SBATCH --output=\"/scratch/my study/logs/slurm/daemon-%j.log\"\n"));
}

TEST(ScriptTest, NamesOfJobsFollowTheWorkspace) {
  EXPECT_NE(job_name("/a"), job_name("/b"));
  EXPECT_EQ(job_name("/a").size(), 16u);
}

// Bash itself reads what was made, for every example that is handed out.
TEST(ScriptTest, EveryExampleMakesAScriptThatBashUnderstands) {
  coordinator::testing::TemporaryFolder folder;
  int examples = 0;
  for (const auto& entry : fs::directory_iterator(fs::path(REMIXER_SOURCE) / "slurm")) {
    if (entry.path().extension() != ".toml") continue;
    ++examples;
    const Site site = read_site(read_file(entry.path()), entry.path().string());
    const ScriptPaths paths{folder.path, folder.path / "access.json", "/opt/bin/remixer"};
    for (const std::string& text :
         {allocation_script(site, paths), daemon_script(site, paths, "/shared/site.toml")}) {
      write_file_atomic(folder.path / "script.sh", text);
      const Captured checked =
          run_captured({"bash", "-n", (folder.path / "script.sh").string()}, 30);
      EXPECT_EQ(checked.code, 0) << entry.path() << checked.errors;
      EXPECT_EQ(checked.errors, "") << entry.path();
    }
  }
  EXPECT_GE(examples, 4);
}

}  // namespace
}  // namespace remixer::coordinator::slurm
