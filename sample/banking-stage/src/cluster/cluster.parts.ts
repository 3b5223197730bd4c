import { BlockProducer } from '../banking/block-producer.js';
import { Submissions } from '../banking/submissions.js';
import { BlockSync } from './block-sync.js';
import { CertificatesCheck } from './certificates.check.js';
import { ClusterLink } from './cluster-link.js';
import { ClusterProducer } from './cluster.producer.js';
import { ClusterSubmissions } from './cluster.submissions.js';
import { Decisions } from './decisions.js';
import { Gossip } from './gossip.js';
import { Members } from './members.js';
import { PeerClient } from './peer.client.js';
import { PeerController } from './peer.controller.js';
import { PeerDesk } from './peer.desk.js';
import { Settled } from './settled.js';
import { SharedBlocks } from './shared-blocks.js';
import { ValidatorDesk } from './validator.js';
import { VotingBooth } from './voting-booth.js';

/** What a node has that decides together with others, in place of deciding alone. */
export const CLUSTER_PARTS = {
  controllers: [PeerController],
  providers: [
    Members,
    PeerClient,
    VotingBooth,
    SharedBlocks,
    Settled,
    Decisions,
    BlockSync,
    ValidatorDesk,
    Gossip,
    PeerDesk,
    CertificatesCheck,
    ClusterLink,
    { provide: BlockProducer, useClass: ClusterProducer },
    { provide: Submissions, useClass: ClusterSubmissions },
  ],
};

export const SINGLE_PARTS = { controllers: [], providers: [BlockProducer, Submissions] };
