"""Pieces of launches in a roundabout way, for texts that are made up."""

from __future__ import annotations

FORMS = (
    "uvx vllm@0.8.5 serve m\nuv tool run 'vllm>=0.6,<0.9' -- serve m\n",
    "python3 x/vllm/entrypoints/openai/api_server.py --model m -mvllm.entrypoints.api_server\n",
    'pm2 start "$(which vllm)" --name v -- serve m\n',
    "gcloud run deploy x --image vllm/vllm-openai:v0.8.5 --args=^:^--model:m --command=vllm\n",
    "az container create --image me/vllm-openai --command-line 'vllm serve m' --env A=1,B=2\n",
    "runpodctl create pod --imageName me/vllm:v0.9.1-x --args \"--model m --dtype 'a b'\"\n",
    "git clone -b v0.8.5 https://github.com/vllm-project/vllm\ngit checkout tags/v0.9.1\n",
    "pip install 'vllm~=0.8.4' 'vllm==0.8.*,!=0.8.3' 'sglang[all]<0.5;python_version>\"3\"'\n",
    'FROM x\nCOPY <<\'EOF\' /s.sh\nvllm serve m\nEOF\nADD <<B x\nCMD ["sh", "/s.sh"]\n',
    '[program:a]\ncommand=vllm serve m\nenvironment=A="1",B=2\n[Container]\nImage=vllm/vllm\n',
    'resource "a" "b" {\n  image = local.i\n  args = ["--model", "${var.m}"]\n  x = <<-EOF\n',
    'locals {\n  i = "vllm/vllm-openai:v0.8.5"\n}\nvariable "m" {\n  default = "a/b"\n}\n',
    '$a = @("serve", "m", `\n "--dtype", "half")\n& vllm @a\nset -gx A "b c"\nset B c d\n',
    "Run `vllm serve a/b --port 1`, then: vllm serve c/d --x and `pip install vllm==0.8.5`.\n",
    "from vllm import LLM, EngineArgs as E\nLLM('m', dtype='x', a=..., **k)\nE(model=f'{m}')\n",
    "import sglang as s\ns.Engine(model_path=m, x={'a': [1]}, tp_size=n or 2)\n",
    "c = LLMConfig(model_loading_config=dict(model_id='m'), engine_kwargs={'dtype': d})\n",
    "i = x.from_registry('lmsysorg/sglang:v0.5.6').pip_install('vllm==0.9.1', 'sglang<0.5')\n",
    "# /// script\n# dependencies = [\"vllm>=0.8,<0.9\"]\n# ///\nrun(['docker', 'run', 'vllm'])\n",
    '{"cells": [{"cell_type": "code", "source": ["%%writefile a.sh\\n", "vllm serve m"]}]}',
    "modelFormat:\n  name: huggingface\nargs: [--model_id=m, --backend, vllm, --dtype=half]\n",
    "image: vllm/vllm-openai\ncommand: --model {{ m }} {{ 'a b' | quote }} --x {{\n",
    "vllm\u00a0serve \u201cm\u201d --dtype \u2018half\u2019 \u2014port 1\n",
    '{"log": "vllm serve: error: No such option: --x (Possible options: --y)\\n", "a": 1}\n',
    "spawn('vllm', ['serve', m, '--x', \"a\"]); python -c \"from vllm import LLM; LLM('m')\"\n",
    "p = ['vllm serve m', f'--port {p}', x]\nrun(' '.join(p))\njob \"a\" {\n  args = [\"b\"]\n}\n",
    "vllm bench serve: error: argument --backend: invalid choice: 'x' (choose from 'y')\n",
)
