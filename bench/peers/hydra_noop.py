"""The peer of bench/runner.ts: empty jobs, through Hydra's joblib launcher.

    pip install hydra-core hydra-joblib-launcher
    python bench/peers/hydra_noop.py --multirun hydra/launcher=joblib hydra.launcher.n_jobs=2 "seed=range(200)"
"""

import hydra
from omegaconf import DictConfig, OmegaConf

hydra.core.config_store.ConfigStore.instance().store("noop", OmegaConf.create({"seed": 0}))


@hydra.main(version_base="1.3", config_path=None, config_name="noop")
def main(config: DictConfig) -> int:
    return config.seed


if __name__ == "__main__":
    main()
