import { contenders } from './contenders.mjs';
const c=await contenders.ours(); const f=c[process.argv[2]];
for(let k=0;k<8;k++){const t=process.hrtime.bigint();for(let i=0;i<200000;i++)await f(i);console.log(Number(process.hrtime.bigint()-t)/200000)}
