import os
import shutil

from azureml.core import Experiment, Model, Run, Workspace

ws = Workspace.from_config()
experiment = Experiment(workspace=ws, name="lines")

run = experiment.start_logging(snapshot_directory=None)
for loss in (0.3, 0.2, 0.1):
    run.log("loss", loss)
run.log("slope", 2.0)
run.tag("stage", "trial")

os.makedirs("outputs", exist_ok=True)
shutil.copy("linear.json", "outputs/linear.json")
run.upload_file(name="outputs/linear.json", path_or_stream="./outputs/linear.json")
run.complete()
print(run.get_metrics()["loss"], run.get_status(), run.get_file_names())

model = run.register_model(
    model_name="line-from-run",
    tags={"area": "demo"},
    model_path="outputs/linear.json",
    model_framework=Model.Framework.CUSTOM,
)
print(model.name, model.run_id == run.id, model.experiment_name, sep="\t")
print(Model.list(ws, run_id=run.id)[0].id == model.id)

Run.get_context().log("offline", 1)
